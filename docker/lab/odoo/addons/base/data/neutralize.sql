-- outgoing mail: every server off, one that leads nowhere
UPDATE ir_mail_server SET active = false;
INSERT INTO ir_mail_server (name, smtp_host, smtp_port, smtp_encryption, smtp_authentication, active)
VALUES ('neutralization - disable emails', 'invalid', 1025, 'none', 'login', true);

-- scheduled actions: all but the vacuum
UPDATE ir_cron SET active = false
WHERE id NOT IN (SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND module = 'base' AND name = 'autovacuum_job');

UPDATE ir_act_server SET webhook_url = 'neutralization - disable webhook' WHERE state = 'webhook';

INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'true')
ON CONFLICT (key) DO UPDATE SET value = 'true';
