{
    'name': 'Discuss',
    'summary': 'Stand-in of the opw-task lab',
    'version': '1.0',
    'license': 'LGPL-3',
    'depends': ['base', 'web'],
    'lab_crons': [{'id': 'ir_cron_mail_scheduler_action', 'name': 'Mail: Email Queue Manager', 'every': '1 hours'}],
}
