-- The role that runs has no right to make or drop tables: it asks for months by these, which can do nothing else.

CREATE FUNCTION month_partition(divided text, year integer, month integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF divided NOT IN ('sample', 'rollup_minute') OR year NOT BETWEEN 0 AND 9999 OR month NOT BETWEEN 1 AND 12 THEN
    RAISE EXCEPTION 'there is no such month of a divided table: % % %', divided, year, month;
  END IF;
  RETURN format('%s_%s_%s', divided, lpad(year::text, 4, '0'), lpad(month::text, 2, '0'));
END $$;

-- Makes a month's partition, unless it is there, or *_other has rows of that month, which then stays there.
CREATE FUNCTION make_month(divided text, year integer, month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
  part text := month_partition(divided, year, month);
  bound text := CASE divided WHEN 'sample' THEN 'time' ELSE 'bucket' END;
  options text := CASE divided WHEN 'rollup_minute' THEN 'WITH (fillfactor = 80)' ELSE '' END;
  starts timestamptz := make_timestamptz(year, month, 1, 0, 0, 0);
  ends timestamptz := starts + interval '1 month';
  taken boolean;
BEGIN
  IF to_regclass(part) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I >= $1 AND %2$I < $2)', divided || '_other', bound)
    INTO taken USING starts, ends;
  IF taken THEN
    RETURN;
  END IF;
  -- Attaching takes a lighter lock on the table than CREATE TABLE … PARTITION OF: writers go on.
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS) %s', part, divided, options);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', divided, part, starts, ends);
EXCEPTION WHEN check_violation THEN
  -- A worker that had settled on *_other wrote there since the look above.
  NULL;
END $$;

CREATE FUNCTION drop_month(divided text, year integer, month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  EXECUTE format('DROP TABLE %I', month_partition(divided, year, month));
END $$;

-- Both run with the rights of who made them: whoever calls them mustn't choose what names mean there, nor may just anybody call them.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION make_month SET search_path = %I, pg_temp', current_schema());
  EXECUTE format('ALTER FUNCTION drop_month SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION make_month, drop_month FROM PUBLIC;
