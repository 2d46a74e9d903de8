-- argon2id in PHC notation; null where no PIN is asked for.
ALTER TABLE learner ADD COLUMN pin_hash TEXT;

-- Who has asked something before the first run existed has it behind them.
INSERT OR IGNORE INTO setting (learner_id, key, value)
SELECT DISTINCT learner_id, 'setupDone', 'true' FROM conversation;

-- The latest connections to the network; how many there were in all, the counter knows.
CREATE TABLE connection (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    learner_id TEXT    NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    host       TEXT    NOT NULL
) STRICT;

CREATE INDEX connection_by_learner ON connection (learner_id, seq);
