-- Sends one query, compares the body of every answer with a file, and prints what was counted as JSON.
wrong = 0 -- global, so that thread:get finds it
local expected
local threads = {}

local function content(path)
  local file = assert(io.open(path, "rb"))
  local read = file:read("*a")
  file:close()
  return read
end

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  wrk.method = "POST"
  wrk.body = content(arguments[1])
  wrk.headers["content-type"] = "application/json"
  expected = content(arguments[2])
  for at = 3, #arguments, 2 do
    wrk.headers[arguments[at]] = arguments[at + 1]
  end
end

function response(status, headers, body)
  if status ~= 200 or body ~= expected then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local bad = 0
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("wrong")
  end
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "wrong": %d, "failed": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), bad, failed
  ))
end
