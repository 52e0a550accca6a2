"""What opw-task needs to see of Odoo, and nothing else: health, login page, crons, module updates, neutralisation."""
