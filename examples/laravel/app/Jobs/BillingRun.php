<?php

namespace App\Jobs;

use App\Keybrake\CapHit;
use App\Keybrake\VaultKey;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Bus\Dispatchable;
use Illuminate\Queue\InteractsWithQueue;

/** BillingRun::dispatch('2026-11-21', $customers, 2999): one job is one run. */
class BillingRun implements ShouldQueue
{
    use Dispatchable, InteractsWithQueue, Queueable;

    public $tries = 3;

    public $backoff = [2, 10];

    /** A worker that kills a job for its time calls `failed` then, too. */
    public $failOnTimeout = true;

    public function __construct(private string $run, private array $customers, private int $cents) {}

    public function handle(): void
    {
        $label = $this->label();
        $key = VaultKey::issue($label, 150);
        try {
            foreach ($this->customers as $customer) {
                $key->charge($customer, $this->cents, "{$label}-{$customer}");
            }
        } catch (CapHit $hit) {
            // Failed for good, whatever is left of $tries. Any other exception leaves, and the job is tried again.
            $this->fail($hit);

            return;
        }
        VaultKey::revokeRun($label);
    }

    /** Laravel calls it once, when no try is left. */
    public function failed(): void
    {
        VaultKey::revokeRun($this->label());
    }

    private function label(): string
    {
        return "laravel-billing/{$this->run}";
    }
}
