-- Times are milliseconds since 1970. Ids are 32 random hexadecimal digits.
-- Every row belongs to a learner.

CREATE TABLE learner (
    id         TEXT    PRIMARY KEY NOT NULL,
    name       TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('adult', 'learner')),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE conversation (
    id          TEXT    PRIMARY KEY NOT NULL,
    learner_id  TEXT    NOT NULL REFERENCES learner (id),
    title       TEXT    NOT NULL,
    -- The last turn of the branch that is shown; its ancestors are the others.
    active_leaf TEXT    REFERENCES message (id) ON DELETE SET NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    -- Deleted, but still to be had back.
    deleted_at  INTEGER,
    UNIQUE (id, learner_id)
) STRICT;

CREATE INDEX conversation_by_learner ON conversation (learner_id, updated_at);

-- Turns form a tree: an edited question or a second answer is a sibling of the first.
CREATE TABLE message (
    seq               INTEGER PRIMARY KEY,
    id                TEXT    NOT NULL UNIQUE,
    learner_id        TEXT    NOT NULL,
    conversation_id   TEXT    NOT NULL,
    parent_id         TEXT    REFERENCES message (id) ON DELETE CASCADE,
    role              TEXT    NOT NULL CHECK (role IN ('student', 'tutor')),
    text              TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('streaming', 'complete', 'stopped', 'cut', 'interrupted')),
    engine_kind       TEXT    CHECK (engine_kind IN ('local', 'demo', 'cloud', 'school')),
    engine_model      TEXT,
    engine_device     TEXT,
    finish_reason     TEXT,
    prompt_tokens     INTEGER,
    reused_tokens     INTEGER,
    completion_tokens INTEGER,
    -- 64 unsigned bits, kept as the same bits signed.
    seed              INTEGER,
    queue_s           REAL,
    prefill_s         REAL,
    ttft_s            REAL,
    decode_s          REAL,
    created_at        INTEGER NOT NULL,
    finished_at       INTEGER,
    FOREIGN KEY (conversation_id, learner_id) REFERENCES conversation (id, learner_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX message_by_conversation ON message (conversation_id, seq);
CREATE INDEX message_by_parent ON message (parent_id);
CREATE INDEX message_unfinished ON message (state) WHERE state = 'streaming';

CREATE TABLE setting (
    learner_id TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    key        TEXT NOT NULL,
    -- JSON
    value      TEXT NOT NULL,
    PRIMARY KEY (learner_id, key)
) STRICT;

CREATE TABLE counter (
    learner_id TEXT    NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    value      INTEGER NOT NULL,
    PRIMARY KEY (learner_id, name)
) STRICT;
