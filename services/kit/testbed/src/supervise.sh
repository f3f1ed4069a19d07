# Runs one server for a test and ends it when standard input closes, that is, when the test process is gone, however
# it went. In: folder, signal that asks the server to stop, command with arguments. Out: pid, log, exit in the folder,
# which is removed at the end unless it holds a file "keep".
folder=$1
signal=$2
shift 2
exec 3<&0 </dev/null
setsid "$@" >"$folder/log" 2>&1 3<&- &
server=$!
echo "$server" >"$folder/pid"
(
    cat <&3 >/dev/null
    kill -s "$signal" -- "-$server"
    tries=0
    while kill -0 -- "-$server" && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s KILL -- "-$server"
) 2>/dev/null &
watcher=$!
wait "$server"
code=$?
# What the server left behind in its own session goes too.
kill -s KILL -- "-$server" 2>/dev/null
echo "$code" >"$folder/exit"
kill "$watcher" 2>/dev/null
cat <&3 >/dev/null
[ -e "$folder/keep" ] || rm -rf -- "$folder"
