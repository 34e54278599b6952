-- What wrk asks for: the same request from 256 users in turn, rendered once; a summary as one line of JSON.
-- Arguments: a file with the head of a request (@USER@ in it is replaced), how many users; how many milliseconds a
-- connection rests before each request, none without.

local requests = {}
local turn = 0

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   local head = file:read("*a")
   file:close()
   for user = 1, tonumber(arguments[2]) do
      requests[user] = head:gsub("@USER@", string.format("user-%05d", user))
   end
   local rest = tonumber(arguments[3] or "0")
   if rest > 0 then
      function delay() return math.random(0, 2 * rest) end
   end
end

function request()
   turn = turn % #requests + 1
   return requests[turn]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "microseconds": %d, "bad": %d, "p50": %d, "p99": %d}\n',
      summary.requests, summary.bytes, summary.duration,
      errors.status + errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
