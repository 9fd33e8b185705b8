<?php

namespace App\Keybrake;

/** A cap refused the call: nothing was sent, and repeating it is of no use until the cap resets. */
class CapHit extends \RuntimeException {}
