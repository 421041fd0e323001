from django.db import migrations

FORWARD = """
CREATE FUNCTION appointment_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE'
     AND (NEW.appointment_id, NEW.kind, NEW.version, NEW.at, NEW.actor_id, NEW.by_patient, NEW.old_starts_at, NEW.participant_uid)
         IS NOT DISTINCT FROM
         (OLD.appointment_id, OLD.kind, OLD.version, OLD.at, OLD.actor_id, OLD.by_patient, OLD.old_starts_at, OLD.participant_uid)
  THEN RETURN NEW; END IF;
  IF coalesce(current_setting('videotime.retention', true), '') = 'on' THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION 'appointment_event is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER appointment_event_is_append_only BEFORE UPDATE OR DELETE ON scheduling_appointmentevent
  FOR EACH ROW EXECUTE FUNCTION appointment_event_is_append_only();
"""
BACKWARD = """
DROP TRIGGER appointment_event_is_append_only ON scheduling_appointmentevent;
DROP FUNCTION appointment_event_is_append_only();
"""


class Migration(migrations.Migration):
    """History is written once; only the bookkeeping of reactions changes. Retention sets `videotime.retention`."""

    dependencies = [("scheduling", "0002_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
