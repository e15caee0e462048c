#!/bin/bash
# A Slurm of two nodes on one machine, to try what job.slurm does when a node dies. Debian's packages, as root:
#
#   apt-get install -y slurm-wlm slurmctld slurmd munge
#   tooling/slurm/two-node-slurm.sh start /tmp/two-node-slurm
#   export SLURM_CONF=/tmp/two-node-slurm/slurm.conf
#   sbatch runs/study/job.slurm; squeue; sinfo
#   tooling/slurm/two-node-slurm.sh kill-node /tmp/two-node-slurm node1
#   tooling/slurm/two-node-slurm.sh stop /tmp/two-node-slurm
#
# Each node is a slurmd in a PID and host-name namespace of its own: killing the namespace's first process ends slurmd,
# its steps and its jobs at one moment without a word to anybody, as a power cut does.
set -euo pipefail

usage() {
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2
  exit 2
}
[ $# -ge 2 ] || usage
action=$1
folder=$(realpath -m "$2")
cores=${CORES_PER_NODE:-1}
export SLURM_CONF=$folder/slurm.conf

configure() {
  mkdir -p "$folder"/{state,node1,node2}
  cat >"$SLURM_CONF" <<CONF
ClusterName=two-nodes
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
JobRequeue=1
ReturnToService=2
# seconds after which a silent node is down and its jobs go back into the queue
SlurmdTimeout=12
NodeName=node1 NodeAddr=127.0.0.1 Port=16821 CPUs=$cores State=UNKNOWN
NodeName=node2 NodeAddr=127.0.0.1 Port=16822 CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
CONF
}

start_node() {
  setsid unshare --pid --fork --kill-child --mount-proc --uts \
    bash -c "hostname $1 && exec slurmd -D -N $1" </dev/null >"$folder/$1/output.log" 2>&1 &
  echo $! >"$folder/$1/namespace.pid"
}

# The namespace's parent is `unshare`; with --kill-child its death kills the namespace's first process, and so all in it.
kill_node() {
  kill -9 "$(cat "$folder/$1/namespace.pid")"
}

case $action in
  start)
    configure
    mkdir -p /run/munge && chown munge: /run/munge
    pgrep -x munged >/dev/null || runuser -u munge -- munged
    slurmctld -c
    start_node node1
    start_node node2
    for _ in $(seq 60); do
      [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ] && break
      sleep 1
    done
    sinfo
    ;;
  kill-node) kill_node "${3:?which node}" ;;
  start-node) start_node "${3:?which node}" ;;
  stop)
    kill_node node1 2>/dev/null || true
    kill_node node2 2>/dev/null || true
    kill "$(cat "$folder/slurmctld.pid")"
    ;;
  *) usage ;;
esac
