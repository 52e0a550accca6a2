//! Code that came with production's database has no more rights in a restore than its owner had there; and what only a
//! superuser could make there comes over whole.

use crate::world::{Estate, Plan, Upstream, docker};

/// A function that does what only a superuser can do, and gives its own role back before it tries; used in every place from
/// which a restore calls functions of the copy. Direct calls of the server's own functions stand beside it.
const HOSTILE: &str = r#"
CREATE SCHEMA shop;
CREATE FUNCTION shop.attempts(place text) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE way text; attempt text;
BEGIN
  FOREACH way IN ARRAY ARRAY['RESET ROLE', 'RESET SESSION AUTHORIZATION', 'SET ROLE NONE', 'SET ROLE odoo',
    'SET SESSION AUTHORIZATION odoo', 'SET ROLE opw_task_neutralise', 'SET ROLE opw_task_keeper'] LOOP
    FOREACH attempt IN ARRAY ARRAY[
      format('COPY (SELECT 1) TO PROGRAM %L', 'touch /tmp/opw-climbed-' || place),
      format('CREATE ROLE "opw-climbed-%s" SUPERUSER LOGIN', place),
      'ALTER ROLE opw_task_restore SUPERUSER',
      'GRANT odoo TO opw_task_restore',
      format('SELECT lo_export(lo_from_bytea(0, ''x''), %L)', '/tmp/opw-climbed-lo-' || place)] LOOP
      BEGIN
        EXECUTE way;
        EXECUTE attempt;
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
    END LOOP;
  END LOOP;
END $f$;
-- What changes something is not allowed in a function that says of itself that it does not; in one that it calls, it is.
CREATE FUNCTION shop.climb(place text, value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $f$
BEGIN PERFORM shop.attempts(place); RETURN value; END $f$;
CREATE FUNCTION shop.fires() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN PERFORM shop.climb('trigger', ''); RETURN NEW; END $f$;
CREATE DOMAIN shop.word AS text CHECK (shop.climb('domain', VALUE) = VALUE);
CREATE TABLE shop.parcel (
  id int PRIMARY KEY,
  api_token text CHECK (shop.climb('check', api_token) IS NOT DISTINCT FROM api_token),
  word shop.word,
  note text DEFAULT shop.climb('default', 'note'),
  made text GENERATED ALWAYS AS (shop.climb('generated', api_token)) STORED);
CREATE INDEX parcel_climbs ON shop.parcel (shop.climb('index', api_token));
CREATE INDEX parcel_where ON shop.parcel (id) WHERE shop.climb('where', api_token) <> '';
INSERT INTO shop.parcel SELECT i, 'CANARY-parcel-' || i, 'a' FROM generate_series(1, 50) i;
CREATE STATISTICS shop.parcel_statistics ON (shop.climb('statistics', api_token)), id FROM shop.parcel;
CREATE MATERIALIZED VIEW shop.parcels AS SELECT id, shop.climb('view', api_token) AS api_token FROM shop.parcel;
CREATE UNIQUE INDEX parcels_climb ON shop.parcels (id, shop.climb('view-index', api_token));
CREATE TRIGGER climbs BEFORE INSERT OR UPDATE ON shop.parcel FOR EACH ROW EXECUTE FUNCTION shop.fires();
ALTER TABLE shop.parcel ENABLE ALWAYS TRIGGER climbs;
ALTER TABLE res_partner ADD CONSTRAINT climbs CHECK (shop.climb('odoo', name) IS NOT DISTINCT FROM name);
"#;

/// What an owner of a database has of everyday use, and what its superuser has made for it.
const LEGITIMATE: &str = r#"
CREATE SCHEMA words;
CREATE EXTENSION pgcrypto SCHEMA words;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION dblink;
COMMENT ON EXTENSION dblink IS 'to the scales';
CREATE FUNCTION words.plain(regdictionary, text) RETURNS text LANGUAGE c IMMUTABLE STRICT AS '$libdir/unaccent', 'unaccent_dict';
COMMENT ON FUNCTION words.plain(regdictionary, text) IS 'as on the web';
CREATE FUNCTION words.key(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(words.plain('public.unaccent', value)) $$;
CREATE FUNCTION words.quick() RETURNS void LANGUAGE sql SET session_replication_role = origin AS '';
CREATE AGGREGATE words.gathered(bigint) (SFUNC = int8_accum, STYPE = internal, FINALFUNC = numeric_poly_avg);
CREATE OPERATOR CLASS words.numbers FOR TYPE int4 USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=,
  OPERATOR 5 >, FUNCTION 1 btint4cmp(int4, int4);
CREATE DOMAIN words.word AS text CHECK (VALUE = words.key(VALUE));
CREATE TABLE words.entry (id serial PRIMARY KEY, number int CHECK (number > 0), word words.word, title text DEFAULT words.key('Ä'),
  made text GENERATED ALWAYS AS (upper(title)) STORED);
CREATE TYPE words.pair AS (one int, other int);
CREATE CAST (words.pair AS text) WITH INOUT;
CREATE INDEX entry_number ON words.entry (number words.numbers);
CREATE INDEX entry_title ON words.entry (words.key(title));
CREATE INDEX entry_like ON words.entry USING gin (title gin_trgm_ops);
INSERT INTO words.entry (number, word) SELECT i, 'a' FROM generate_series(1, 100) i;
CREATE MATERIALIZED VIEW words.titles AS SELECT words.key(title) AS title, words.gathered(number) FROM words.entry GROUP BY 1;
CREATE TABLE words.closed (id int);
INSERT INTO words.closed VALUES (1), (2);
ALTER TABLE words.closed ENABLE ROW LEVEL SECURITY;
CREATE POLICY one ON words.closed USING (id = 1);
ALTER SCHEMA words OWNER TO odoo;
ALTER TABLE words.entry OWNER TO odoo;
ALTER TABLE words.closed OWNER TO odoo;
ALTER TABLE words.titles OWNER TO odoo;
CREATE FUNCTION words.frozen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'DDL is frozen'; END $$;
CREATE EVENT TRIGGER code_frozen ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION words.frozen();
ALTER EVENT TRIGGER code_frozen ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER code_frozen IS 'until spring
\restrict is a word';
"#;

/// Definitions, as far as they are the same wherever they stand.
const DEFINITIONS: &str = "
SELECT string_agg(line, E'\\n' ORDER BY line COLLATE \"C\") FROM (
  SELECT concat_ws(' ', 'f', p.oid::regprocedure, p.prosecdef, p.provolatile, l.lanname, p.proconfig, md5(p.prosrc),
                   obj_description(p.oid, 'pg_proc'))
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid >= 16384 AND p.proname <> 'unaccent'
  UNION ALL SELECT concat_ws(' ', 't', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT concat_ws(' ', 'e', evtname, evtevent, evtenabled, evttags, obj_description(oid, 'pg_event_trigger')) FROM pg_event_trigger
  UNION ALL SELECT concat_ws(' ', 'i', pg_get_indexdef(indexrelid), indisvalid) FROM pg_index
    WHERE indexrelid >= 16384 AND indexrelid::regclass::text NOT LIKE 'pg_toast.%'
  UNION ALL SELECT concat_ws(' ', 'c', conrelid::regclass, pg_get_constraintdef(oid), convalidated) FROM pg_constraint WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'x', extname, extnamespace::regnamespace, obj_description(oid, 'pg_extension')) FROM pg_extension
  UNION ALL SELECT concat_ws(' ', 'o', opcname, opcnamespace::regnamespace) FROM pg_opclass WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'k', castsource::regtype, casttarget::regtype, castmethod) FROM pg_cast WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'p', polrelid::regclass, polname, pg_get_expr(polqual, polrelid)) FROM pg_policy
  UNION ALL SELECT concat_ws(' ', 'r', c.oid::regclass, c.relkind, c.relispopulated, c.relrowsecurity, c.relforcerowsecurity)
    FROM pg_class c WHERE c.oid >= 16384 AND c.relkind <> 't' AND c.relname NOT LIKE 'pg_toast%') s (line)";

#[test]
fn code_of_an_ordinary_role_can_do_nothing_more_while_it_is_restored() {
    let upstream = Upstream::own("code_hostile");
    upstream.sql(HOSTILE);
    // A superuser there could: the statements are not wrong.
    upstream.sql_as("postgres", "SELECT shop.climb('there', '')");
    upstream.sql_as("postgres", "DROP ROLE \"opw-climbed-there\"");
    upstream.sql_as("postgres", "COPY (SELECT 1) TO PROGRAM 'rm /tmp/opw-climbed-there'");
    let shop = Plan::named("hostile").upstream(&upstream).with_addons().make();
    shop.does(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop"]);
    nobody_climbed(&shop);
    assert_eq!(shop.sql("SELECT count(*) FROM shop.parcels"), "50");
    assert_eq!(
        shop.sql("SELECT count(*) FROM shop.parcel WHERE api_token LIKE '%CANARY%'"),
        "0"
    );
    shop.serves();
    upstream.drop();
}

/// Neither a file nor a role was made, and nothing of the rights of roles has changed.
#[track_caller]
fn nobody_climbed(shop: &Estate) {
    let database = shop.container("database").unwrap();
    let files = docker(&[
        "exec",
        &database,
        "find",
        "/tmp",
        "/var/lib/postgresql",
        "-name",
        "opw-climbed-*",
    ]);
    assert_eq!(files.trim(), "");
    let roles = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'opw-climbed%'";
    assert_eq!(shop.sql_in("postgres", roles), "");
    let rights = "SELECT rolsuper OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles WHERE rolname = 'opw_task_restore'";
    assert_eq!(shop.sql_in("postgres", rights), "f");
    let member = "SELECT count(*) FROM pg_auth_members WHERE roleid = 'odoo'::regrole OR member = 'odoo'::regrole";
    assert_eq!(shop.sql_in("postgres", member), "0");
}

#[test]
fn what_only_a_superuser_makes_comes_over_whole() {
    let upstream = Upstream::own("code_whole");
    upstream.sql_as("postgres", LEGITIMATE);
    let there = upstream.sql(DEFINITIONS);
    let shop = Plan::named("whole").upstream(&upstream).make();
    shop.does(&["restore", "shop"]);
    let here = shop.sql(DEFINITIONS);
    let only_in = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|theirs| theirs == *line));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((only_in(&here, &there), only_in(&there, &here)), (vec![], vec![]));
    let rows = "SELECT (SELECT count(*) FROM words.entry WHERE made = 'A'), (SELECT count(*) FROM words.titles), (SELECT count(*) FROM words.closed)";
    assert_eq!(shop.sql(rows), "100|1|2");
    let others = "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
                   WHERE r.rolname LIKE 'opw_task%' AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = 'shop'))
                     AND NOT (d.classid = 'pg_authid'::regclass)";
    assert_eq!(shop.sql(others), "0", "everything is Odoo's");
    shop.serves();
    shop.nothing_is_open("the end");
    upstream.drop();
}
