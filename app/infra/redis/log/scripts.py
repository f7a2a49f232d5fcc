"""What Redis does with a conversation's log in one step, so that nobody sees it half done.

A log is two keys in one slot. The stream has one entry for each append, its id is `last-first`
(sequences), its only value the message that was published with it. The hash says:

f  the highest fence that has spoken; what a lower one still appends is refused
e  epoch
b  base: nothing up to this sequence is in the stream
m  how many stored messages tell all events up to the base
z  about how many bytes the stream had when the last run left
s  the server's run_id while all that was ever acknowledged is there; "" while that is not known,
   or is just being sent again. Another run_id means: Redis was restarted, and may have lost some.

The sequence of the last event is that of the stream's last entry, else the base: it is `n` below.
Every script takes the stream, the hash and the conversation's channel as its keys.
"""

from dataclasses import dataclass
from hashlib import sha1

# After this a log that nobody speaks in and nobody opens is dropped.
KEEP_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the name under which the server keeps it."""

    text: str

    @property
    def sha(self) -> str:
        """What `EVALSHA` calls it."""
        return sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_HEAD = """
local function head(base)
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return last and tonumber(string.match(last[1], '^%d+')) or tonumber(base)
end
"""

# fence, epoch, run_id of the server, "PUBLISH" or "SPUBLISH", first, last, message.
# Returns 1 where the events are there now, 0 where anything is not as the speaker believes: it has
# to RESUME. The path of every token. While fence, epoch and run_id are the speaker's, the log ends
# where it left it; an entry that is there already is refused for its id.
APPEND = Script("""
local meta = redis.call('HMGET', KEYS[2], 'f', 'e', 's')
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] or meta[3] ~= ARGV[3] then return 0 end
local id = redis.pcall('XADD', KEYS[1], ARGV[6] .. '-' .. ARGV[5], '', ARGV[7])
if type(id) == 'table' then return 0 end
redis.call(ARGV[4], KEYS[3], ARGV[7])
return 1
""")

# fence, epoch, head and messages of the speaker's mark, run_id of the server, the last sequence
# that was ever acknowledged to the speaker, "1" where the log may be made anew from the mark,
# seconds to keep it; then as APPEND: "PUBLISH" or "SPUBLISH", first, last, message.
# Appends where the events are the next, and returns n, after which the speaker has to go on.
# Or ["FENCED"], also where a number was given already by somebody else (the next attempt begins a
# new epoch then); or ["LOST"] where Redis may have lost something and the speaker has to make sure
# that it still is the one.
RESUME = Script(
    _HEAD
    + """
local meta = redis.call('HMGET', KEYS[2], 'f', 'e', 'b', 's')
if meta[1] and tonumber(meta[1]) > tonumber(ARGV[1]) then return {'FENCED'} end
local n = head(meta[3])
local intact = meta[2] == ARGV[2] and n >= tonumber(ARGV[3])
local same = intact and meta[4] == ARGV[5]
if same and meta[1] ~= ARGV[1] and n > tonumber(ARGV[6]) then return {'FENCED'} end
if not same and ARGV[7] == '0' then return {'LOST'} end
if not intact then
  redis.call('UNLINK', KEYS[1])
  redis.call('HSET', KEYS[2], 'e', ARGV[2], 'b', ARGV[3], 'm', ARGV[4], 'z', 0)
  n = tonumber(ARGV[3])
end
if n + 1 == tonumber(ARGV[10]) then
  redis.call('XADD', KEYS[1], ARGV[11] .. '-' .. ARGV[10], '', ARGV[12])
  redis.call(ARGV[9], KEYS[3], ARGV[12])
  n = tonumber(ARGV[11])
end
local s = n >= tonumber(ARGV[6]) and ARGV[5] or ''
redis.call('HSET', KEYS[2], 'f', ARGV[1], 's', s)
redis.call('EXPIRE', KEYS[1], ARGV[8])
redis.call('EXPIRE', KEYS[2], ARGV[8])
return n
"""
)

# fence, epoch and head of the run's mark, run_id of the server, the epoch to begin where something
# was lost, how many messages tell what was said before that, "1" to begin it in any case, seconds
# to keep it.
# Returns ["FENCED"]; ["NEW"]; ["OK", n].
TAKE = Script(
    _HEAD
    + """
local meta = redis.call('HMGET', KEYS[2], 'f', 'e', 'b', 's')
if meta[1] and tonumber(meta[1]) > tonumber(ARGV[1]) then return {'FENCED'} end
local n = head(meta[3])
local intact = meta[2] == ARGV[2] and n >= tonumber(ARGV[3]) and meta[4] == ARGV[4]
if intact and ARGV[7] == '0' then
  redis.call('HSET', KEYS[2], 'f', ARGV[1])
  return {'OK', n}
end
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[2], 'f', ARGV[1], 'e', ARGV[5], 'b', 1, 'm', ARGV[6], 'z', 0, 's', ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[8])
return {'NEW'}
"""
)

# epoch, head and messages of the conversation's mark, run_id of the server, "1" where the log has
# holes and has to begin from the mark, seconds to keep it.
# Returns [e, n, b, m]. A log that is missing, or behind what is on disk, begins at the mark; `s` is
# empty then, so that whoever takes the conversation over knows that numbers may have been given
# that are not in it. Of two epochs the one on disk is right, but where a speaker has begun the
# other since the server was started: that one is not on disk yet.
OPEN = Script(
    _HEAD
    + """
local meta = redis.call('HMGET', KEYS[2], 'e', 'b', 'm', 's')
local n = head(meta[2])
local intact
if meta[1] == ARGV[1] then
  intact = n >= tonumber(ARGV[2])
else
  intact = meta[1] and meta[4] == ARGV[4]
end
if ARGV[5] == '1' or not intact then
  redis.call('UNLINK', KEYS[1])
  redis.call('HSET', KEYS[2], 'e', ARGV[1], 'b', ARGV[2], 'm', ARGV[3], 'z', 0, 's', '')
  meta, n = {ARGV[1], ARGV[2], ARGV[3]}, ARGV[2]
end
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return {meta[1], n, meta[2], meta[3]}
"""
)

# Nothing. Returns [e, n, b, m], all null where there is no log.
LOOK = Script(
    _HEAD
    + """
local meta = redis.call('HMGET', KEYS[2], 'e', 'b', 'm')
return {meta[1], head(meta[2]) or false, meta[2], meta[3]}
"""
)

# epoch, head and messages of the mark of a run that leaves, how many bytes it has said, how many
# the log may have, "PUBLISH" or "SPUBLISH", what to publish where the log forgets what was before
# that run. The run itself stays, for readers that are a little late.
LEAVE = Script("""
local meta = redis.call('HMGET', KEYS[2], 'e', 'b', 'z')
if meta[1] ~= ARGV[1] then return 0 end
local z = tonumber(meta[3]) + tonumber(ARGV[4])
if z > tonumber(ARGV[5]) and tonumber(ARGV[2]) > tonumber(meta[2]) then
  redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%.0f-0', tonumber(ARGV[2]) + 1))
  redis.call('HSET', KEYS[2], 'b', ARGV[2], 'm', ARGV[3])
  redis.call(ARGV[6], KEYS[3], ARGV[7])
  z = ARGV[4]
end
redis.call('HSET', KEYS[2], 'z', z)
return 1
""")

# "PUBLISH" or "SPUBLISH", what to publish.
FORGET = Script("""
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call(ARGV[1], KEYS[3], ARGV[2])
return 1
""")

SCRIPTS = (APPEND, RESUME, TAKE, OPEN, LOOK, LEAVE, FORGET)
