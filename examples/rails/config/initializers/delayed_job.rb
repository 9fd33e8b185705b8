# Active Job decides what is tried again; tries of the queue's own would begin with a key that is revoked.
Delayed::Worker.max_attempts = 1
