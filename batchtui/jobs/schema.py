"""The tables of the store, as the list of steps that brought them about; a released step never changes."""

APPLICATION_ID = 0x62_74_75_69

_FIRST = (
    """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        revision INTEGER NOT NULL,
        state TEXT NOT NULL,
        stopped INTEGER NOT NULL DEFAULT 0,
        deleted INTEGER NOT NULL DEFAULT 0,
        deleted_at REAL,
        pinned INTEGER NOT NULL DEFAULT 0,
        takes_batches INTEGER NOT NULL,
        backend TEXT NOT NULL,
        account_id TEXT,
        model TEXT NOT NULL,
        truncate_inputs INTEGER,
        top_k INTEGER,
        label TEXT NOT NULL,
        note TEXT NOT NULL DEFAULT '',
        created_at REAL NOT NULL,
        submitted_at REAL,
        started_at REAL,
        finished_at REAL,
        next_ask_at REAL,
        requests INTEGER NOT NULL,
        contexts INTEGER NOT NULL,
        parts INTEGER NOT NULL,
        parts_done INTEGER NOT NULL DEFAULT 0,
        body_bytes INTEGER NOT NULL,
        failed_requests INTEGER NOT NULL DEFAULT 0,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        total_tokens INTEGER,
        ndcg_at_10 REAL,
        request_id TEXT,
        scorer TEXT,
        error TEXT,
        problem TEXT
    )
    """,
    "CREATE INDEX jobs_newest ON jobs(deleted, pinned, id, state)",
    "CREATE INDEX jobs_oldest ON jobs(deleted, id, state)",
    "CREATE INDEX jobs_tokens ON jobs(deleted, total_tokens, id, state)",
    "CREATE INDEX jobs_metric ON jobs(deleted, ndcg_at_10, id, state)",
    "CREATE INDEX jobs_revision ON jobs(revision)",
    "CREATE INDEX jobs_spent ON jobs(backend, submitted_at, total_tokens)",
    "CREATE TABLE job_counts (deleted INTEGER, state TEXT, n INTEGER, PRIMARY KEY (deleted, state))"
    " WITHOUT ROWID",
    """
    CREATE TRIGGER job_counted AFTER INSERT ON jobs BEGIN
        INSERT INTO job_counts VALUES (new.deleted, new.state, 1)
            ON CONFLICT DO UPDATE SET n = n + 1;
    END
    """,
    """
    CREATE TRIGGER job_recounted AFTER UPDATE OF state, deleted ON jobs
    WHEN old.state != new.state OR old.deleted != new.deleted BEGIN
        UPDATE job_counts SET n = n - 1 WHERE deleted = old.deleted AND state = old.state;
        INSERT INTO job_counts VALUES (new.deleted, new.state, 1)
            ON CONFLICT DO UPDATE SET n = n + 1;
    END
    """,
    """
    CREATE TRIGGER job_uncounted AFTER DELETE ON jobs BEGIN
        UPDATE job_counts SET n = n - 1 WHERE deleted = old.deleted AND state = old.state;
    END
    """,
    """
    CREATE TABLE parts (
        job_id INTEGER NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
        part INTEGER NOT NULL,
        state TEXT NOT NULL,
        backend TEXT NOT NULL,
        lane INTEGER NOT NULL,
        next_at REAL,
        first_request INTEGER NOT NULL,
        request_count INTEGER NOT NULL,
        body_bytes INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        failed_requests INTEGER NOT NULL DEFAULT 0,
        request_id TEXT,
        submitted_at REAL,
        asked_at REAL,
        lease_owner TEXT,
        lease_until REAL,
        error TEXT,
        problem TEXT,
        PRIMARY KEY (job_id, part)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX parts_due ON parts(lane, next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX parts_of_job ON parts(job_id, state, next_at, failed_requests)",
    "CREATE INDEX parts_leased ON parts(lease_owner) WHERE lease_owner IS NOT NULL",
    "CREATE INDEX parts_with_problem ON parts(job_id, part) WHERE problem IS NOT NULL",
    "CREATE INDEX parts_with_error ON parts(job_id, part) WHERE error IS NOT NULL",
    """
    CREATE TABLE requests (
        job_id INTEGER NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        query_hash BLOB NOT NULL,
        text_hashes BLOB NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (job_id, position)
    )
    """,
    "CREATE INDEX requests_by_query ON requests(query_hash)",
    """
    CREATE TABLE results (
        job_id INTEGER NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        success INTEGER NOT NULL,
        ndcg_at_10 REAL,
        data BLOB NOT NULL,
        PRIMARY KEY (job_id, position)
    )
    """,
    """
    CREATE TABLE raw_answers (
        job_id INTEGER NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
        part INTEGER NOT NULL,
        kind TEXT NOT NULL,
        received_at REAL NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (job_id, part, kind)
    )
    """,
    "CREATE TABLE judgments (query_hash BLOB, text_hash BLOB, grade INTEGER NOT NULL,"
    " judged_at REAL NOT NULL, PRIMARY KEY (query_hash, text_hash)) WITHOUT ROWID",
    "CREATE TABLE drafts (id INTEGER PRIMARY KEY AUTOINCREMENT, updated_at REAL NOT NULL,"
    " data BLOB NOT NULL)",
    "CREATE TABLE rates (name TEXT PRIMARY KEY, calls REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE token_rates (backend TEXT, model TEXT, tokens INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " PRIMARY KEY (backend, model)) WITHOUT ROWID",
    "CREATE VIRTUAL TABLE job_words USING fts5("
    "label, note, model, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3')",
    "CREATE VIRTUAL TABLE job_texts USING fts5("
    "query, contexts, reference, content = '', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3')",
)

_CHOICES = ("CREATE TABLE choices (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _CHOICES)
"""Step n brings a store from version n to n + 1; `PRAGMA user_version` holds the version."""
