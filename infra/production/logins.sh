#!/bin/sh
# A private folder → a password for every login of Postgres, in the Secrets that ./postgres.yaml names, and in the folder a
# folder a function with its DATABASE_URL. A login that has its Secret keeps it; killed at any moment, run it again.
set -eu
umask 077
folder=${1:?which folder, outside of any repository, shall have the secrets?}
mkdir -p "$folder"

missing() { # the name of a Secret
  ! kubectl -n postgres get secret "$1" > /dev/null 2>&1
}

store() { # the name of a Secret, the login; after whatever else must know the password
  printf %s "$password" > "$folder/password"
  kubectl -n postgres create secret generic "$1" --type=kubernetes.io/basic-auth \
    --from-literal=username="$2" --from-file=password="$folder/password"
  rm "$folder/password"
}

login() { # the role, its server and the parameters of the connection, the name of the file, the functions
  role=$1 server=$2 file=$3
  shift 3
  secret=postgres-$(echo "$role" | tr _ -)
  if missing "$secret"; then
    password=$(openssl rand -hex 24)
    for function; do
      mkdir -p "$folder/$function"
      printf %s "postgres://${role}_login:$password@$server" > "$folder/$function/$file"
    done
    store "$secret" "${role}_login"
  fi
}

if missing postgres-owner; then
  password=$(openssl rand -hex 24)
  store postgres-owner millrace
fi
pooler='pooler.postgres.svc.cluster.local:5432/millrace?sslmode=verify-full&sslrootcert=/var/run/secrets/millrace/postgres-ca.crt'
# Those that are no functions connect to the server itself; KEDA has no CA.
server='postgres-rw.postgres.svc.cluster.local:5432/millrace?sslmode=require'
# generated: logins (npm run generate)
login commands_api "$pooler" DATABASE_URL commands-api
login event_ingress "$pooler" DATABASE_URL event-ingress
login notifications_notifier "$pooler" DATABASE_URL account-emails order-emails
login notifications_webhooks "$pooler" DATABASE_URL webhooks
login orders_command "$pooler" DATABASE_URL cancel-order create-order deliver-order expire-order pay-order refund-order ship-order
login orders_projector "$pooler" DATABASE_URL order-view sales-view
login outbox_reader "$server" url outbox-reader
login platform_relay "$pooler" DATABASE_URL outbox-relay
login queries_api "$pooler" DATABASE_URL queries-api
login users_service "$pooler" DATABASE_URL user-service
# end of generated: logins
