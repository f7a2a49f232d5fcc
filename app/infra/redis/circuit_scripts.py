"""The scripts by which nodes share their breakers; each runs as one step of the server.

KEYS: what is known of each breaker; who probes which. Both lie in one slot of a cluster.
All times are the server's and in milliseconds: the clocks of the nodes may differ.
"""

_START = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function known(name)
  local said = redis.call('HGET', KEYS[1], name)
  return said and cjson.decode(said)
end

local function keep(name, version, failures, opened)
  -- Versions go on from the clock, so that they rise even where all that was kept is lost.
  local one = {version = math.max(version + 1, now), failures = failures, opened = opened}
  redis.call('HSET', KEYS[1], name, cjson.encode(one))
  return one
end

local function facts(name, one)
  return {name, one.version, one.failures, one.opened > 0 and now - one.opened or -1}
end

local function prober(name)
  local said = redis.call('HGET', KEYS[2], name)
  local probe = said and cjson.decode(said)
  return probe and probe.ends > now and probe
end

local function has_room(most)
  return redis.call('HLEN', KEYS[1]) < tonumber(most)
end
"""

# ARGV: words as [[name, word, token], ...], failures that open one, how many may be known.
# Returns what is known now of those that were spoken of.
TELL = (
    _START
    + """
local failures_max = tonumber(ARGV[2])

local function turn(one, word, is_prober)
  local failures, opened = one.failures, one.opened
  if word == 'reset' or (word == 'probe_well' and is_prober) then
    return 0, 0
  elseif word == 'recovered' and opened == 0 then
    return 0, 0
  elseif word == 'failed' and opened == 0 then
    failures = failures + 1
    return failures, failures >= failures_max and now or 0
  elseif word == 'probe_failed' and is_prober and (opened > 0 or one.version == 0) then
    return math.max(failures + 1, failures_max), now
  end
  return failures, opened
end

local told = {}
for _, said in ipairs(cjson.decode(ARGV[1])) do
  local name, word, token = said[1], said[2], said[3]
  local one = known(name) or {version = 0, failures = 0, opened = 0}
  if one.version > 0 or has_room(ARGV[3]) then
    local probe = prober(name)
    -- Where nobody probes, it was somebody who had to go on alone, or for too long.
    local is_prober = not probe or probe.token == token
    local failures, opened = turn(one, word, is_prober)
    local has_opened = opened > 0 and one.opened == 0
    if word == 'reset' or has_opened or (probe and probe.token == token) then
      redis.call('HDEL', KEYS[2], name)
    end
    told[#told + 1] = facts(name, keep(name, one.version, failures, opened))
  end
end
return told
"""
)

# ARGV: name, token, how long the probe may take, how long nobody is let through.
# Returns 0 where the probe is taken, else after how long to ask again; then what is known.
TAKE = (
    _START
    + """
local name, open_ms = ARGV[1], tonumber(ARGV[4])
local one = known(name)
if one and one.opened == 0 then return {0, facts(name, one)} end
local due = one and one.opened + open_ms or now
if due > now then return {due - now, facts(name, one)} end
local probe = prober(name)
if probe then return {probe.ends - now, one and facts(name, one) or false} end
redis.call('HSET', KEYS[2], name, cjson.encode({token = ARGV[2], ends = now + ARGV[3]}))
return {0, one and facts(name, one) or false}
"""
)

# ARGV: what a node knows as [[name, version, failures, milliseconds since it opened or -1], ...],
# how many may be known, after how long one that is well and that no node knows is forgotten.
# Returns all that is known. What the node knows counts where nobody has changed it since.
COMPARE = (
    _START
    + """
local JITTER_MS = 1000

local function differs(one, failures, opened)
  if one.failures ~= failures or (one.opened > 0) ~= (opened > 0) then return true end
  return math.abs(one.opened - opened) > JITTER_MS
end

local is_mine = {}
for _, mine in ipairs(cjson.decode(ARGV[1])) do
  local name, version, failures = mine[1], mine[2], mine[3]
  local opened = mine[4] >= 0 and now - mine[4] or 0
  local one = known(name)
  is_mine[name] = true
  if not one and has_room(ARGV[2]) then
    keep(name, version, failures, opened)
  elseif one and one.version <= version and differs(one, failures, opened) then
    keep(name, version, failures, opened)
  end
end

local told = {}
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  local name, one = all[at], cjson.decode(all[at + 1])
  local is_well = one.opened == 0 and one.failures == 0
  if is_well and not is_mine[name] and one.version < now - ARGV[3] then
    redis.call('HDEL', KEYS[1], name)
  else
    told[#told + 1] = facts(name, one)
  end
end
return told
"""
)
