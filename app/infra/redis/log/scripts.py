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
w  the writer whose appends are taken as they come, by its fence, its epoch and the server's start;
   "" where it has to RESUME first
r  the channels of the nodes that read the log, each with a space behind it

The sequence of the last event is that of the stream's last entry, else the base: it is `n` below.
Every script takes the stream, by whose name the conversation's channel goes too, and the hash as
its keys; APPEND takes those of many conversations.

What is appended is published to the nodes that read it: to each on a channel of its own, all that
one APPEND has for it in one message. Where no node is known (`r` is empty, always so in a cluster,
where a script can publish in its own slot only) it goes to the conversation's channel, and so does
what RESUME appends, for the list may have been lost and begun again: who hears something new there
is not on it, and joins. A node that hears nothing any more is struck out.
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

_STRIKE = """
local function strike(meta, reader)
  local readers = redis.call('HGET', meta, 'r') or ''
  local from, to = string.find(readers, reader .. ' ', 1, true)
  if from then
    readers = string.sub(readers, 1, from - 1) .. string.sub(readers, to + 1)
    redis.call('HSET', meta, 'r', readers)
  end
end
"""

_TELL = (
    _STRIKE
    + """
local bundles = {}
local function tell(readers, meta, channel, message, publish)
  if not readers or readers == '' then
    redis.call(publish, channel, message)
    return
  end
  local bundle = bundles[readers]
  if not bundle then
    bundle = {metas = {}}
    bundles[readers] = bundle
  end
  bundle[#bundle + 1] = channel
  bundle[#bundle + 1] = message
  bundle.metas[#bundle.metas + 1] = meta
end
local function send(publish)
  for readers, bundle in pairs(bundles) do
    local text = table.concat(bundle, '\\0')
    for reader in string.gmatch(readers, '%S+') do
      if redis.call(publish, reader, text) == 0 then
        for _, meta in ipairs(bundle.metas) do strike(meta, reader) end
      end
    end
  end
end
"""
)

_JOIN = """
local function join(reader)
  if reader == '' then return end
  local readers = redis.call('HGET', KEYS[2], 'r') or ''
  if not string.find(readers, reader .. ' ', 1, true) then
    redis.call('HSET', KEYS[2], 'r', readers .. reader .. ' ')
  end
end
"""

# "PUBLISH" or "SPUBLISH"; then for each conversation: writer, id of the entry, message.
# Returns 0, or the places, from 1, of those where anything is not as the speaker believes: it has
# to RESUME. The path of every token. While it is the writer, the log ends where it left it; an
# entry that is there already is refused for its id.
APPEND = Script(
    _TELL
    + """
local pcall, refused = redis.pcall, {}
for place = 1, #KEYS / 2 do
  local stream, meta, argument = KEYS[2 * place - 1], KEYS[2 * place], 3 * place + 1
  local known = pcall('HMGET', meta, 'w', 'r')
  local message = ARGV[argument]
  if known[1] == ARGV[argument - 2]
    and type(pcall('XADD', stream, ARGV[argument - 1], '', message)) == 'string' then
    tell(known[2], meta, stream, message, ARGV[1])
  else
    refused[#refused + 1] = place
  end
end
send(ARGV[1])
return #refused > 0 and refused or 0
"""
)

# fence, epoch, head and messages of the speaker's mark, run_id of the server, the last sequence
# that was ever acknowledged to the speaker, "1" where the log may be made anew from the mark,
# seconds to keep it, "PUBLISH" or "SPUBLISH", first, last, message, writer.
# Appends where the events are the next, and returns n, after which the speaker has to go on.
# Or ["FENCED"], also where a number was given already by somebody else (the next attempt begins a
# new epoch then); or ["LOST"] where Redis may have lost something and the speaker has to make sure
# that it still is the one.
RESUME = Script(
    _HEAD
    + _TELL
    + """
local meta = redis.call('HMGET', KEYS[2], 'f', 'e', 'b', 's', 'r')
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
  if meta[5] and meta[5] ~= '' then
    tell(meta[5], KEYS[2], KEYS[1], ARGV[12], ARGV[9])
    send(ARGV[9])
  end
  redis.call(ARGV[9], KEYS[1], ARGV[12])
  n = tonumber(ARGV[11])
end
local s, w = '', ''
if n >= tonumber(ARGV[6]) then s, w = ARGV[5], ARGV[13] end
redis.call('HSET', KEYS[2], 'f', ARGV[1], 's', s, 'w', w)
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
  redis.call('HSET', KEYS[2], 'f', ARGV[1], 'w', '')
  return {'OK', n}
end
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[2], 'f', ARGV[1], 'e', ARGV[5], 'b', 1, 'm', ARGV[6], 'z', 0, 's', ARGV[4],
  'w', '')
redis.call('EXPIRE', KEYS[2], ARGV[8])
return {'NEW'}
"""
)

# epoch, head and messages of the conversation's mark, run_id of the server, "1" where the log has
# holes and has to begin from the mark, seconds to keep it, the channel of the node that reads it;
# "" where it hears the conversation's.
# Returns [e, n, b, m]. A log that is missing, or behind what is on disk, begins at the mark; `s` is
# empty then, so that whoever takes the conversation over knows that numbers may have been given
# that are not in it. Of two epochs the one on disk is right, but where a speaker has begun the
# other since the server was started: that one is not on disk yet.
OPEN = Script(
    _HEAD
    + _JOIN
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
  redis.call('HSET', KEYS[2], 'e', ARGV[1], 'b', ARGV[2], 'm', ARGV[3], 'z', 0, 's', '', 'w', '')
  meta, n = {ARGV[1], ARGV[2], ARGV[3]}, ARGV[2]
end
join(ARGV[7])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return {meta[1], n, meta[2], meta[3]}
"""
)

# The channel of the node that reads it, as in OPEN.
# Returns [e, n, b, m], all null where there is no log.
LOOK = Script(
    _HEAD
    + _JOIN
    + """
local meta = redis.call('HMGET', KEYS[2], 'e', 'b', 'm')
if meta[1] then join(ARGV[1]) end
return {meta[1], head(meta[2]) or false, meta[2], meta[3]}
"""
)

# The channel of a node that reads the log no more.
PART = Script(
    _STRIKE
    + """
strike(KEYS[2], ARGV[1])
return 1
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
  redis.call(ARGV[6], KEYS[1], ARGV[7])
  z = ARGV[4]
end
redis.call('HSET', KEYS[2], 'z', z)
return 1
""")

# "PUBLISH" or "SPUBLISH", what to publish.
FORGET = Script("""
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call(ARGV[1], KEYS[1], ARGV[2])
return 1
""")

SCRIPTS = (APPEND, RESUME, TAKE, OPEN, LOOK, PART, LEAVE, FORGET)
