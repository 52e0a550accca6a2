{
    'name': 'Lab shop',
    'summary': 'Talks to a shop that must never be reached from a copy',
    'version': '1.0',
    'license': 'LGPL-3',
    'depends': ['base'],
    'lab_crons': [{'id': 'ir_cron_shop_export', 'name': 'Shop: export products', 'every': '5 minutes'}],
    'lab_params': {'lab_shop.endpoint': 'https://api.shop.example'},
}
