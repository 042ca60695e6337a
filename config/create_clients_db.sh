#!/bin/bash
# The PostgreSQL image runs this once. It creates the client database, its owner, and the account of tasks and page.
set -e
# psql asks the shell for the passwords, so that they stand in no list of processes.
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" <<'SQL'
\set owner_password `printf %s "$CLIENTS_OWNER_PASSWORD"`
\set password `printf %s "$CLIENTS_PASSWORD"`
CREATE ROLE clients_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE clients LOGIN PASSWORD :'password';
CREATE DATABASE clients OWNER clients_owner;
SQL
