"""The statements on LangGraph's tables in Postgres.

A write first locks the run's row as that of its attempt, in the same statement: a claim that is
under way is waited for, and the row is then looked at as the claim left it. Each gives `held`: 1
where the attempt has the run, 0 where another has and so nothing was written.
"""

HELD = """
WITH held AS MATERIALIZED (
    SELECT 1 FROM runs WHERE id = %(run_id)s AND fence = %(fence)s AND is_active FOR SHARE
)"""

PUT_CHECKPOINT = f"""{HELD}, blobs AS (
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT %(thread_id)s, %(checkpoint_ns)s, new.* FROM held, unnest(
        %(channels)s::text[], %(versions)s::text[], %(types)s::text[], %(blobs)s::bytea[]
    ) AS new
    ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING
), kept AS (
    INSERT INTO checkpoints
        (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    SELECT %(thread_id)s, %(checkpoint_ns)s, %(checkpoint_id)s, %(parent_id)s::text,
        %(checkpoint)s::jsonb, %(metadata)s::jsonb
    FROM held
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata
)
SELECT count(*) AS held FROM held
"""

PUT_WRITES = f"""{HELD}, kept AS (
    INSERT INTO checkpoint_writes
        (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
    SELECT %(thread_id)s, %(checkpoint_ns)s, %(checkpoint_id)s, %(task_id)s, %(task_path)s, new.*
    FROM held, unnest(
        %(places)s::int[], %(channels)s::text[], %(types)s::text[], %(blobs)s::bytea[]
    ) AS new
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO NOTHING
)
SELECT count(*) AS held FROM held
"""

# After the `SELECT` of LangGraph. A checkpoint's id tells when it was made by the clock of its
# node, and two nodes need not agree on the time: the newest is that of the last step.
NEWEST = """
WHERE thread_id = %(thread_id)s AND checkpoint_ns = %(checkpoint_ns)s
ORDER BY (metadata ->> 'step')::int DESC, checkpoint_id DESC LIMIT 1
"""

FORGET = """
WITH writes AS (
    DELETE FROM checkpoint_writes WHERE thread_id = ANY(%(thread_ids)s)
), blobs AS (
    DELETE FROM checkpoint_blobs WHERE thread_id = ANY(%(thread_ids)s)
), kept AS (
    DELETE FROM checkpoints WHERE thread_id = ANY(%(thread_ids)s)
)
SELECT 1
"""
