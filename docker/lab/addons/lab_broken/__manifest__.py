{
    'name': 'Lab broken',
    'summary': 'Its update fails, always',
    'version': '1.0',
    'license': 'LGPL-3',
    'depends': ['base'],
    'lab_fail': True,
}
