{
    'name': 'Base',
    'summary': 'Stand-in of the opw-task lab',
    'version': '1.0',
    'license': 'LGPL-3',
    'depends': [],
    'lab_crons': [{'id': 'autovacuum_job', 'name': 'Base: Auto-vacuum internal data', 'every': '1 days'}],
}
