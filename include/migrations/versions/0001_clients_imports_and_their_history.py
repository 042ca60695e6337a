"""Clients, imports and their history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None


def upgrade() -> None:
    op.create_table('imports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('arrival', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('bytes', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('line', sa.Integer(), nullable=True),
    sa.Column('read', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('created', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('updated', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('unchanged', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('duplicate', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('failed', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('warnings', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('header', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
    sa.Column('file_problems', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
    sa.Column('dag_id', sa.Text(), nullable=True),
    sa.Column('run_id', sa.Text(), nullable=True),
    sa.Column('requested_by', sa.Text(), server_default='', nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('forced', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('dry_run', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('parent_import_id', sa.Uuid(), nullable=True),
    sa.Column('inbox_name', sa.Text(), nullable=True),
    sa.Column('announced', sa.Integer(), nullable=True),
    sa.Column('file_path', sa.Text(), nullable=True),
    sa.Column('report_path', sa.Text(), nullable=True),
    sa.Column('filed', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('notified_state', sa.Text(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state_times', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.CheckConstraint("state IN ('received', 'validated', 'prepared', 'merged', 'refused', 'held', 'discarded', 'failed', 'reverted', 'previewed')", name=op.f('ck_imports_state')),
    sa.CheckConstraint("state NOT IN ('merged', 'reverted') OR read = created + updated + unchanged + duplicate + failed", name=op.f('ck_imports_outcomes_add_up')),
    sa.ForeignKeyConstraint(['parent_import_id'], ['imports.id'], name=op.f('fk_imports_parent_import_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_imports')),
    sa.UniqueConstraint('arrival', name=op.f('uq_imports_arrival'))
    )
    op.create_index('ix_imports_feed_received_at', 'imports', ['feed', sa.literal_column('received_at DESC')], unique=False)
    op.create_index('ix_imports_feed_sha256', 'imports', ['feed', 'sha256'], unique=False)
    op.create_index('ix_imports_parent', 'imports', ['parent_import_id'], unique=False)
    op.create_index('ix_imports_received_at', 'imports', [sa.literal_column('received_at DESC')], unique=False)
    op.create_index('ix_imports_run', 'imports', ['dag_id', 'run_id'], unique=False)
    op.create_index('ix_imports_unfinished', 'imports', ['feed'], unique=False, postgresql_where=sa.text('NOT filed'))
    op.create_index('uq_imports_claim', 'imports', ['feed', 'inbox_name'], unique=True, postgresql_where=sa.text('inbox_name IS NOT NULL'))
    op.create_index('uq_imports_merged_once', 'imports', ['feed', 'sha256'], unique=True, postgresql_where=sa.text("state = 'merged' AND NOT forced"))
    op.create_table('projects',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('is_default', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("id ~ '^[0-9a-f]{24}$'", name=op.f('ck_projects_id_hex')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_projects'))
    )
    op.create_index('uq_projects_default', 'projects', ['is_default'], unique=True, postgresql_where=sa.text('is_default'))
    op.create_table('client_changes',
    sa.Column('import_id', sa.Uuid(), nullable=False),
    sa.Column('client_id', sa.Text(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.ForeignKeyConstraint(['import_id'], ['imports.id'], name=op.f('fk_client_changes_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'client_id', name=op.f('pk_client_changes'))
    )
    op.create_index('ix_client_changes_client_id', 'client_changes', ['client_id'], unique=False)
    op.create_table('desks',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('project_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('is_default', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("id ~ '^[0-9a-f]{24}$'", name=op.f('ck_desks_id_hex')),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_desks_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_desks')),
    sa.UniqueConstraint('id', 'project_id', name='uq_desks_id_project_id')
    )
    op.create_index('uq_desks_default', 'desks', ['project_id'], unique=True, postgresql_where=sa.text('is_default'))
    op.create_table('import_rows',
    sa.Column('import_id', sa.Uuid(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('client_id', sa.Text(), nullable=True),
    sa.Column('problems', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('cells', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.CheckConstraint("outcome IN ('created', 'updated', 'unchanged', 'duplicate', 'failed')", name=op.f('ck_import_rows_outcome')),
    sa.ForeignKeyConstraint(['import_id'], ['imports.id'], name=op.f('fk_import_rows_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'row', name=op.f('pk_import_rows'))
    )
    op.create_index('ix_import_rows_not_imported', 'import_rows', ['import_id', 'outcome'], unique=False, postgresql_where=sa.text("outcome IN ('failed', 'duplicate')"))
    op.create_table('clients',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('first_name', sa.Text(), nullable=False),
    sa.Column('middle_name', sa.Text(), server_default='', nullable=False),
    sa.Column('last_name', sa.Text(), server_default='', nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('email_key', sa.Text(), nullable=False),
    sa.Column('username', sa.Text(), nullable=False),
    sa.Column('project', sa.Text(), nullable=False),
    sa.Column('desk', sa.Text(), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('type', sa.Text(), server_default='personal', nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_import_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint("id ~ '^[0-9a-f]{24}$'", name=op.f('ck_clients_id_hex')),
    sa.CheckConstraint("type IN ('personal', 'business')", name=op.f('ck_clients_type')),
    sa.CheckConstraint('char_length(email) BETWEEN 3 AND 254', name=op.f('ck_clients_email_length')),
    sa.CheckConstraint('char_length(first_name) BETWEEN 1 AND 100', name=op.f('ck_clients_first_name_length')),
    sa.CheckConstraint('char_length(last_name) <= 100', name=op.f('ck_clients_last_name_length')),
    sa.CheckConstraint('char_length(middle_name) <= 100', name=op.f('ck_clients_middle_name_length')),
    sa.CheckConstraint('char_length(username) BETWEEN 3 AND 64', name=op.f('ck_clients_username_length')),
    sa.ForeignKeyConstraint(['desk', 'project'], ['desks.id', 'desks.project_id'], name='fk_clients_desk_of_project'),
    sa.ForeignKeyConstraint(['project'], ['projects.id'], name=op.f('fk_clients_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clients')),
    sa.UniqueConstraint('email_key', deferrable=True, initially='IMMEDIATE', name='uq_clients_email_key'),
    sa.UniqueConstraint('username', deferrable=True, initially='IMMEDIATE', name='uq_clients_username')
    )
    op.create_index('ix_clients_last_import_id', 'clients', ['last_import_id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_clients_last_import_id', table_name='clients')
    op.drop_table('clients')
    op.drop_index('ix_import_rows_not_imported', table_name='import_rows', postgresql_where=sa.text("outcome IN ('failed', 'duplicate')"))
    op.drop_table('import_rows')
    op.drop_index('uq_desks_default', table_name='desks', postgresql_where=sa.text('is_default'))
    op.drop_table('desks')
    op.drop_index('ix_client_changes_client_id', table_name='client_changes')
    op.drop_table('client_changes')
    op.drop_index('uq_projects_default', table_name='projects', postgresql_where=sa.text('is_default'))
    op.drop_table('projects')
    op.drop_index('uq_imports_merged_once', table_name='imports', postgresql_where=sa.text("state = 'merged' AND NOT forced"))
    op.drop_index('uq_imports_claim', table_name='imports', postgresql_where=sa.text('inbox_name IS NOT NULL'))
    op.drop_index('ix_imports_unfinished', table_name='imports', postgresql_where=sa.text('NOT filed'))
    op.drop_index('ix_imports_run', table_name='imports')
    op.drop_index('ix_imports_received_at', table_name='imports')
    op.drop_index('ix_imports_parent', table_name='imports')
    op.drop_index('ix_imports_feed_sha256', table_name='imports')
    op.drop_index('ix_imports_feed_received_at', table_name='imports')
    op.drop_table('imports')
