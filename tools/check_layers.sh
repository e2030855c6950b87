#!/bin/sh
# Checks every #include against the table of docs/ARCHITECTURE.md, and pins libraries to their homes.
# usage: tools/check_layers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
find src cli -name '*.[ch]' -o -name '*.cu' | sort | xargs awk '
function room_of(header) { return header in home ? home[header] : "" }
BEGIN {
    n = split("status.h:base base.h:base capsule.h:base media.h:media nn.h:nn picture.h:nn lane.h:nn backbones.h:nn safetensors.h:nn dist.h:dist track.h:types pose.h:pose pose_features.h:pose motion.h:motion figure.h:figure gan.h:gan eval.h:eval lpips.h:eval report.h:eval transfer.h:transfer trial.h:transfer demo.h:demo", a, " ")
    for (i = 1; i <= n; i++) { split(a[i], p, ":"); home[p[1]] = p[2] }
    know["base"] = "base"
    know["media"] = "base media"
    know["nn"] = "base nn"
    know["pose"] = "base media nn types pose"
    know["motion"] = "base types motion"
    know["figure"] = "base media types pose figure"
    know["dist"] = "base nn dist"
    know["gan"] = "base nn dist gan"
    know["eval"] = "base media pose types motion nn eval"
    know["transfer"] = "base media nn dist pose types motion figure gan eval transfer"
    know["demo"] = "base media types demo"
    know["cli"] = "base media nn dist pose types motion figure gan eval transfer demo"
    pin["libav"] = pin["libsw"] = "src/media/"
    pin["dnnl"] = "src/nn/cpu/onednn"
    pin["cuda"] = pin["cudnn"] = pin["nccl"] = "src/nn/cuda/"
    pin["mpi.h"] = "src/dist/"
    pin["sys/socket"] = pin["netinet"] = "studio/"
}
/^[ \t]*#[ \t]*include/ {
    split(FILENAME, part, "/")
    room = part[1] == "src" ? part[2] : part[1]
    name = $0; sub(/^[^<"]*[<"]/, "", name); sub(/[>"].*$/, "", name)
    if (name ~ /^ballerino\//) {
        header = substr(name, 11); owner = room_of(header)
        if (owner == "") bad(name " belongs to no room")
        else if (index(" " know[room] " ", " " owner " ") == 0) bad(room " may not know " owner " (" name ")")
    }
    if (name ~ /\.\.\//) bad("includes reach out of their folder: " name)
    for (lib in pin) if (index(tolower(name), lib) > 0 && name !~ /^ballerino/ && name != "onednn.h" && index(FILENAME, pin[lib]) != 1) bad(name " belongs to " pin[lib])
}
function bad(why) { print FILENAME ":" FNR ": " why; failed = 1 }
END { if (failed) exit 1; print "layers: every include keeps the law" }
'
