from django.db import migrations

FORWARD = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('videotime.retention', true), '') = 'on' AND TG_OP IN ('DELETE', 'TRUNCATE') THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD END;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER access_record_is_append_only BEFORE UPDATE OR DELETE ON audit_accessrecord
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER access_record_is_not_emptied BEFORE TRUNCATE ON audit_accessrecord
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_seal_is_append_only BEFORE UPDATE OR DELETE ON audit_auditseal
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_seal_is_not_emptied BEFORE TRUNCATE ON audit_auditseal
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""
BACKWARD = """
DROP TRIGGER access_record_is_append_only ON audit_accessrecord;
DROP TRIGGER access_record_is_not_emptied ON audit_accessrecord;
DROP TRIGGER audit_seal_is_append_only ON audit_auditseal;
DROP TRIGGER audit_seal_is_not_emptied ON audit_auditseal;
DROP FUNCTION audit_is_append_only();
"""


class Migration(migrations.Migration):
    """Access records are inserted and never changed; retention sets `videotime.retention` to delete old ones."""

    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
