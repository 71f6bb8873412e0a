-- The session file: one SQLite database per session, suffix .gattscope.
--
--   PRAGMA application_id = 1195463764   ("GATT" as big-endian bytes)
--   PRAGMA user_version   = 2            (this schema)
--
-- Times named t_ns, *_ns are integers: nanoseconds since the session's start on a clock that never
-- goes backwards. `anchor` says which wall-clock time that was. Blobs are bytes as they were on the
-- air; texts are as they were received, uncleaned: clean them before showing them.

-- One row: the session itself.
CREATE TABLE session (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    writer   TEXT NOT NULL,              -- the program that recorded it, with its version
    title    TEXT,                       -- what the user calls it
    ended_ns INTEGER,                    -- when it was closed; NULL while recording, or if it was cut off
    comment  TEXT,                       -- what the user says of it
    kept     INTEGER NOT NULL DEFAULT 0, -- 1 if the user saved it: it is never deleted by its age or size
    source   TEXT                        -- the file that it was imported from; NULL if it was recorded
);

-- Which wall-clock time a session time was. The first row is the session's start; another follows
-- whenever the wall clock jumps against the session's clock or its offset from UTC changes. A time
-- belongs to the last row that is not after it.
CREATE TABLE anchor (
    t_ns         INTEGER NOT NULL,       -- session time
    unix_ns      INTEGER NOT NULL,       -- the same moment in nanoseconds since 1970-01-01T00:00:00Z
    utc_offset_s INTEGER NOT NULL        -- local time minus UTC then, in seconds
);

-- A device that was seen.
CREATE TABLE device (
    id            INTEGER PRIMARY KEY,
    identifier    TEXT NOT NULL,         -- the radio's name for it: the address, or the system's own identifier
    name          TEXT,                  -- the last name that was received
    first_seen_ns INTEGER NOT NULL
);

-- One connection to one device.
CREATE TABLE link (
    id       INTEGER PRIMARY KEY,
    device   INTEGER NOT NULL REFERENCES device(id),
    up_ns    INTEGER NOT NULL,           -- when it came up
    down_ns  INTEGER                     -- when it ended; NULL if that was not recorded
);

-- The attributes of a device as one discovery found them. Discovering again makes new rows: a new
-- generation.
CREATE TABLE attribute (
    id             INTEGER PRIMARY KEY,  -- generation * 65536 + position
    link           INTEGER NOT NULL REFERENCES link(id),
    kind           INTEGER NOT NULL,     -- 1 service, 2 characteristic, 3 descriptor
    uuid           TEXT NOT NULL,        -- 128 bits, lower case, with hyphens
    handle         INTEGER,              -- ATT handle; NULL where the system does not tell it
    parent         INTEGER REFERENCES attribute(id),
    properties     INTEGER NOT NULL,     -- characteristic properties, one bit each (Core, Vol 3, Part G, 3.3.1.1)
    service        TEXT,                 -- UUID of the service that it belongs to
    characteristic TEXT,                 -- UUID of the characteristic that it is or belongs to
    path           TEXT NOT NULL         -- UUIDs from the service down, each with its number among equals (0, 1, ..):
                                         -- the same for the same attribute in every generation
);

-- What event.kind means. direction: 'in' from the peer, 'out' to the peer, 'local' neither.
CREATE TABLE kind (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL,
    direction TEXT NOT NULL,
    number    TEXT,                      -- what event.number means
    detail    TEXT                       -- what event.detail means
);
INSERT INTO kind VALUES
    (1,  'advertisement',              'in',    'RSSI in dBm', NULL),
    (2,  'scan_started',               'local', NULL, 'what was listened for'),
    (3,  'scan_stopped',               'local', NULL, NULL),
    (4,  'adapter_state',              'local', '0 unknown, 1 on, 2 off, 3 unauthorized, 4 gone', 'the adapter'),
    (5,  'sampling',                   'local', 'how many advertisements were left out since the last event of this kind, by the user''s choice', 'which ones are recorded'),
    (10, 'connecting',                 'out',   NULL, NULL),
    (11, 'connected',                  'in',    NULL, NULL),
    (12, 'connect_failed',             'local', NULL, 'why'),
    (13, 'mtu',                        'in',    'ATT MTU in bytes', NULL),
    (14, 'discovered',                 'in',    'how many attributes were found', NULL),
    (15, 'disconnected',               'in',    '0 asked for, 1 by the peer or the air, 2 adapter lost', 'the system''s words'),
    (16, 'rssi',                       'in',    'RSSI of the link in dBm', NULL),
    (20, 'read_request',               'out',   NULL, NULL),
    (21, 'read_result',                'in',    NULL, 'why it failed'),
    (22, 'write_request',              'out',   NULL, NULL),
    (23, 'write_command',              'out',   NULL, NULL),
    (24, 'write_result',               'in',    NULL, 'why it failed'),
    (25, 'subscribed',                 'out',   '0 as the system chose, 1 notifications, 2 indications', 'why it failed'),
    (26, 'unsubscribed',               'out',   NULL, 'why it failed'),
    (30, 'notification',               'in',    NULL, NULL),
    (31, 'indication',                 'in',    NULL, NULL),
    (32, 'notification_or_indication', 'in',    NULL, NULL),
    (40, 'error',                      'local', NULL, 'what went wrong'),
    (41, 'note',                       'local', NULL, 'the text'),
    (42, 'marker',                     'local', NULL, 'the label'),
    (43, 'gap',                        'local', 'how many are missing', NULL);

-- Everything that happened, in the order in which it reached the recorder.
CREATE TABLE event (
    id        INTEGER PRIMARY KEY,
    t_ns      INTEGER NOT NULL,
    kind      INTEGER NOT NULL REFERENCES kind(id),
    device    INTEGER REFERENCES device(id),
    link      INTEGER REFERENCES link(id),
    attribute INTEGER REFERENCES attribute(id),
    value     BLOB,                      -- the bytes; an empty value is an empty blob, no value is NULL
    status    INTEGER,                   -- 0 success, 1..255 the ATT error code, -1 another failure; NULL where nothing can fail
    number    INTEGER,                   -- kind.number says what it means
    detail    TEXT                       -- kind.detail says what it means
);
CREATE INDEX event_attribute ON event (attribute) WHERE attribute IS NOT NULL;
-- Discoveries, notes and markers, to find them without going through the rest.
CREATE INDEX event_rare ON event (kind) WHERE kind IN (14, 41, 42);

-- How many events there are, so that nobody has to count them.
CREATE TABLE tally (
    device INTEGER NOT NULL,             -- 0 for what belongs to none
    kind   INTEGER NOT NULL REFERENCES kind(id),
    events INTEGER NOT NULL,
    PRIMARY KEY (device, kind)
) WITHOUT ROWID;

-- Which events were committed together, and from when they are: where to look for a time.
CREATE TABLE batch (
    first    INTEGER PRIMARY KEY REFERENCES event(id),
    last     INTEGER NOT NULL REFERENCES event(id),
    min_t_ns INTEGER NOT NULL,
    max_t_ns INTEGER NOT NULL
);

-- What an advertisement contained (RSSI: event.number). NULL is what the report did not contain.
CREATE TABLE advertisement (
    event        INTEGER PRIMARY KEY REFERENCES event(id),
    address      TEXT,
    address_kind TEXT,                   -- public, random_static, random_resolvable, random_non_resolvable
    local_name   TEXT,
    tx_power     INTEGER,                -- dBm
    appearance   INTEGER,                -- GAP appearance
    connectable  INTEGER,                -- 0 or 1
    services     TEXT,                   -- JSON: ["uuid", ..]
    manufacturer TEXT,                   -- JSON: [{"company": number, "data": "hex"}, ..]
    service_data TEXT,                   -- JSON: [{"uuid": "uuid", "data": "hex"}, ..]
    raw          BLOB                    -- the AD structures byte for byte, where the system gave them
);

-- Who lost something.
CREATE TABLE cause (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    what TEXT NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0      -- how many events in all: the sum of gap.count
);
INSERT INTO cause (id, name, what) VALUES
    (1, 'device_sequence', 'the device''s own counter skipped: lost in the device or on the air'),
    (2, 'host_queue',      'the radio''s own queue overflowed'),
    (3, 'gattscope',       'the recorder could not keep up, or could not write'),
    (4, 'link_down',       'the link was down under a subscription; count 0: how many is not known');

-- What is missing from this file. Received + missing = sent.
CREATE TABLE gap (
    event   INTEGER PRIMARY KEY REFERENCES event(id),
    cause   INTEGER NOT NULL REFERENCES cause(id),
    count   INTEGER NOT NULL,            -- how many events
    from_ns INTEGER NOT NULL,            -- not before
    to_ns   INTEGER NOT NULL             -- not after
);

-- Every event with its names: SELECT * FROM log;
CREATE VIEW log AS
SELECT e.id,
       strftime('%Y-%m-%dT%H:%M:%S', w.unix_ns / 1000000000, 'unixepoch')
           || printf('.%09dZ', w.unix_ns % 1000000000) AS time,
       e.t_ns / 1e9        AS seconds,
       k.name              AS kind,
       k.direction         AS direction,
       d.name              AS device_name,
       d.identifier        AS device,
       a.service           AS service,
       a.characteristic    AS characteristic,
       CASE a.kind WHEN 3 THEN a.uuid END AS descriptor,
       a.handle            AS handle,
       length(e.value)     AS bytes,
       hex(e.value)        AS hex,
       e.status, e.number, e.detail
  FROM (SELECT id, t_ns + (SELECT unix_ns - t_ns FROM anchor
                            WHERE anchor.t_ns <= max(event.t_ns, (SELECT min(t_ns) FROM anchor))
                            ORDER BY anchor.t_ns DESC LIMIT 1) AS unix_ns
          FROM event) AS w
  JOIN event AS e ON e.id = w.id
  JOIN kind  AS k ON k.id = e.kind
  LEFT JOIN device    AS d ON d.id = e.device
  LEFT JOIN attribute AS a ON a.id = e.attribute;

-- Every value that was read, written, notified or indicated: SELECT * FROM value;
CREATE VIEW value AS
SELECT id, time, seconds, kind, direction, device_name, device, service, characteristic, descriptor,
       handle, bytes, hex
  FROM log
 WHERE bytes IS NOT NULL;

-- What is missing: SELECT * FROM loss;
CREATE VIEW loss AS
SELECT l.id, l.time, c.name AS cause, g.count, g.from_ns / 1e9 AS from_seconds,
       g.to_ns / 1e9 AS to_seconds, l.device_name, l.device, l.characteristic, l.handle
  FROM gap AS g
  JOIN cause AS c ON c.id = g.cause
  JOIN log   AS l ON l.id = g.event;

-- What the user wrote down: SELECT * FROM note;
CREATE VIEW note AS
SELECT id, time, seconds, kind, detail AS text FROM log WHERE kind IN ('note', 'marker');
