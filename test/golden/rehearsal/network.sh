set -eu
ip netns add us-switch
ip netns add us-depot
ip netns add us-m1
ip netns add us-m2
ip netns add us-m3
ip netns add us-w1
ip -n us-switch link set lo up
ip -n us-switch link add bridge type bridge stp_state 0 forward_delay 0
ip -n us-switch link set bridge up
ip -n us-switch link add us-depot type veth peer name eth0 netns us-depot
ip -n us-switch link set us-depot master bridge up
ip -n us-depot addr add 10.213.77.2/24 dev eth0
ip -n us-depot link set lo up
ip -n us-depot link set eth0 up
ip -n us-switch link add us-m1 type veth peer name eth0 netns us-m1
ip -n us-switch link set us-m1 master bridge up
ip -n us-m1 addr add 10.213.77.11/24 dev eth0
ip -n us-m1 link set lo up
ip -n us-m1 link set eth0 up
ip -n us-switch link add us-m2 type veth peer name eth0 netns us-m2
ip -n us-switch link set us-m2 master bridge up
ip -n us-m2 addr add 10.213.77.12/24 dev eth0
ip -n us-m2 link set lo up
ip -n us-m2 link set eth0 up
ip -n us-switch link add us-m3 type veth peer name eth0 netns us-m3
ip -n us-switch link set us-m3 master bridge up
ip -n us-m3 addr add 10.213.77.13/24 dev eth0
ip -n us-m3 link set lo up
ip -n us-m3 link set eth0 up
ip -n us-switch link add us-w1 type veth peer name eth0 netns us-w1
ip -n us-switch link set us-w1 master bridge up
ip -n us-w1 addr add 10.213.77.21/24 dev eth0
ip -n us-w1 link set lo up
ip -n us-w1 link set eth0 up
ip -n us-switch link add machine type veth peer name us0 netns $$
ip -n us-switch link set machine master bridge up
ip addr add 10.213.77.1/24 dev us0
ip link set us0 up
