#!/bin/bash
# The PostgreSQL image runs this once. It creates the client database, with an owner of its own.
set -e
psql -v ON_ERROR_STOP=1 -v password="$CLIENTS_PASSWORD" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE clients LOGIN PASSWORD :'password';
CREATE DATABASE clients OWNER clients;
SQL
