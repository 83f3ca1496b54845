"""What `kwe bench` measures and how it is told.

`measure` has the order of boots, `guests` boots ours and `peer` another system's; `peer_records`,
`drop`, `rows` and `compare` reckon, without touching anything; `tell`, `tell_peer` and `plot` show.
"""
