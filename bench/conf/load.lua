-- What wrk asks for: 256 users in turn, some items far more often than others, each request with an id of its own; a
-- summary as one line of JSON. Arguments: a file with the head of a request (@USER@, @ITEM@, @ID@ in it are replaced), how many users, how many
-- milliseconds a connection rests before each request (0: none), how many items, the first id.

local users = {}
local turn = 0
local items
local number

local function pieces(head)
   local first, second, third, fourth = head:match("^(.-)@ITEM@(.-)@ID@(.-)@ID@(.*)$")
   return {assert(first), second, third, fourth}
end

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   local head = file:read("*a")
   file:close()
   for user = 1, tonumber(arguments[2]) do
      users[user] = pieces((head:gsub("@USER@", string.format("user-%05d", user))))
   end
   local rest = tonumber(arguments[3])
   if rest > 0 then
      function delay() return math.random(0, 2 * rest) end
   end
   items = tonumber(arguments[4])
   number = tonumber(arguments[5])
   math.randomseed(number)
end

function request()
   turn = turn % #users + 1
   number = number + 1
   local piece = users[turn]
   local id = string.format("%08x", number)
   -- a tenth of the items gets nearly half of the requests
   local item = math.floor(items * math.random() ^ 3)
   return piece[1] .. item .. piece[2] .. id .. piece[3] .. id .. piece[4]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "microseconds": %d, "bad": %d, "p50": %d, "p99": %d}\n',
      summary.requests, summary.bytes, summary.duration,
      errors.status + errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
