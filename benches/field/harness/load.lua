-- wrk's side of a turn: every thread takes its own share of the prepared bodies, each once. The arguments are the file
-- of bodies, the request's head, a text a good answer has ("-": its status says enough), and the number of threads.
local threads = {}

function setup(thread)
  thread:set("place", #threads)
  table.insert(threads, thread)
end

function init(arguments)
  bodies, used, out, good, bad = {}, 0, 0, 0, 0
  local line, count = 0, tonumber(arguments[4])
  for body in io.lines(arguments[1]) do
    if line % count == place then bodies[#bodies + 1] = body end
    line = line + 1
  end
  head = io.open(arguments[2]):read("*a")
  mark = arguments[3]
  if mark ~= "-" then
    response = function(status, headers, body)
      if status == 200 and body:find(mark, 1, true) then good = good + 1 else bad = bad + 1 end
    end
  end
end

function request()
  used = used + 1
  -- Some request has to be sent; the harness throws a turn away in which the bodies ran out.
  if used > #bodies then out, used = 1, 1 end
  return head .. bodies[used]
end

function done(summary, latency)
  local out, good, bad = 0, 0, 0
  for _, thread in ipairs(threads) do
    out, good, bad = out + thread:get("out"), good + thread:get("good"), bad + thread:get("bad")
  end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d, "out": %d, "good": %d, "bad": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, out, good, bad
  ))
end
