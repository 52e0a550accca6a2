{
    'name': 'Lab extra',
    'summary': 'Depends on the lab shop',
    'version': '1.0',
    'license': 'LGPL-3',
    'depends': ['lab_shop'],
    'lab_crons': [{'id': 'ir_cron_extra', 'name': 'Extra: nightly', 'every': '1 days'}],
}
