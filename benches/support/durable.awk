# Reads what strace wrote of a run with imi.chat, all strings in hexadecimal, and holds that no request that writes
# leaves before its intent is durable: at every moment at most as many have left as intents were written and then synced.
#
# A record of the journal is 1, its kind (1 for the start of a run, 2 for an intent), eight bytes of the run, and the
# time; see src/journal/store/codec.rs. sled writes a record again when it moves it, so each counts once, by its time.

# "/db"
/openat\(/ && index($0, "\\x2f\\x64\\x62\"") { split($0, end, " = "); db[end[2] + 0] = 1 }

/pwrite64\(/ {
    file = $0; sub(/.*pwrite64\(/, "", file); sub(/,.*/, "", file)
    if (!(file in db)) next
    text = $0
    # "imichat" stands in the record of the run's start, and in no other that was written before it.
    if (!run && index(text, "\\x69\\x6d\\x69\\x63\\x68\\x61\\x74")) {
        run = substr(text, index(text, "\\x01\\x01\\x00") + 8, 32)
    }
    while (run && (at = index(text, "\\x01\\x02" run))) {
        intent = substr(text, at + 40, 44)
        if (!(intent in seen)) { seen[intent] = 1; written++ }
        text = substr(text, at + 40)
    }
}

# A sync covers what was written before it began.
/fdatasync\([0-9]+/ {
    file = $0; sub(/.*fdatasync\(/, "", file); sub(/[ )].*/, "", file)
    if (!(file in db)) next
    syncs++
    if (/unfinished/) { begun[$1] = written } else if (written > durable) { durable = written }
}

/fdatasync resumed/ && ($1 in begun) {
    if (begun[$1] > durable) durable = begun[$1]
    delete begun[$1]
}

# "POST /", "PATCH /"
/writev\(|sendto\(/ && (index($0, "\"\\x50\\x4f\\x53\\x54\\x20\\x2f") || index($0, "\"\\x50\\x41\\x54\\x43\\x48\\x20\\x2f")) {
    sent++
    if (sent > durable) early++
}

END {
    printf "%d requests that write, %d intents, %d syncs of the journal; %d requests left before their intent was durable\n",
        sent, written, syncs, early
    exit !sent || early > 0
}
