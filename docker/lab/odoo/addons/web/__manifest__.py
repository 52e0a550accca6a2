{
    'name': 'Web',
    'summary': 'Stand-in of the opw-task lab',
    'version': '1.0',
    'license': 'LGPL-3',
    'depends': ['base'],
}
