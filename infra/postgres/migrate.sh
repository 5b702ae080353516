#!/bin/sh
# SQL files of a folder → the database that PGHOST and its like name, brought up to date as scripts/platform/servers/postgres/migrate.ts does
# it, by psql alone: the same table of what ran, the same lock, one transaction a file, then the roles, and nothing after an error.
set -eu
folder=${1:?which folder has the migrations?}
roles=${2:-$folder/roles.sql}

up() { # the part of a file from its Up marker to its Down marker; without an Up marker all of it
  awk '
    { line[NR] = $0 }
    !up && tolower($0) ~ /^[ \t]*--[ \t-]*up[ \t]+migration/ { up = NR }
    !down && tolower($0) ~ /^[ \t]*--[ \t-]*down[ \t]+migration/ { down = NR }
    END { for (n = up ? up : 1; n <= NR && !(up && down > up && n >= down); n++) print line[n] }
  ' "$1"
}

script() {
  all=
  for file in "$folder"/[0-9]*.sql; do all="$all,'$(basename "$file" .sql)'"; done
  cat <<SQL
set statement_timeout = 0;
set client_min_messages = warning;
do \$\$ begin perform pg_advisory_lock(7241865325823964); end \$\$;
create table if not exists public.migrations (
  id serial primary key, name varchar(255) not null, run_on timestamp not null
);
do \$\$ declare wrong record; begin
  select file.name as file, ran.name as ran into wrong
    from unnest(array[${all#,}]) with ordinality as file (name, at)
    join (select name, row_number() over (order by run_on, id) as at from public.migrations) as ran using (at)
    where file.name <> ran.name order by at limit 1;
  if found then raise exception 'migration % has not run and precedes %, which has', wrong.file, wrong.ran; end if;
end \$\$;
SQL
  for file in "$folder"/[0-9]*.sql; do
    name=$(basename "$file" .sql)
    cat <<SQL
select not exists (select from public.migrations where name = '$name') as is_new \\gset
\\if :is_new
begin;
$(up "$file")
;
insert into public.migrations (name, run_on) values ('$name', now());
commit;
\\echo $name
\\endif
SQL
  done
  echo 'begin;'
  cat "$roles"
  echo 'commit;'
}

until pg_isready -q; do sleep 1; done
script | psql -X -q -v ON_ERROR_STOP=1
