<?php

namespace App\Keybrake;

use Illuminate\Http\Client\PendingRequest;
use Illuminate\Support\Facades\Http;

/** What one run spends with. */
class VaultKey
{
    private function __construct(private string $token, private string $stripe) {}

    /** The label is the Idempotency-Key, too: a job that is tried again gets the same key. */
    public static function issue(string $label, float $dailyUsdCap): self
    {
        $wanted = ['template' => 'billing', 'agent_run_label' => $label, 'daily_usd_cap' => $dailyUsdCap];
        $issued = self::control()->withHeaders(['Idempotency-Key' => $label])->post('/vault/keys', $wanted)->throw();

        return new self($issued['vault_key'], $issued['base_urls']['stripe']);
    }

    /** By the label, since what Laravel calls at the end of a job has not seen its key. */
    public static function revokeRun(string $label): void
    {
        self::control()->post('/vault/keys/revoke', ['label' => $label])->throw();
    }

    /** @throws CapHit which is final; every other exception may be worth another attempt with the same key. */
    public function charge(string $customer, int $cents, string $idempotencyKey): void
    {
        $answer = Http::withToken($this->token)->timeout(90)->asForm()
            ->withHeaders(['Idempotency-Key' => $idempotencyKey])
            ->post($this->stripe.'/v1/payment_intents', [
                'amount' => $cents, 'currency' => 'usd', 'customer' => $customer,
                'confirm' => 'true', 'payment_method' => 'pm_card_visa',
            ]);
        if ($answer->header('X-Keybrake-Cap-Hit') === 'true') {
            throw new CapHit($answer['keybrake']['message']);
        }
        $answer->throw();
    }

    private static function control(): PendingRequest
    {
        // config/services.php: 'keybrake' => ['url' => env('KEYBRAKE_URL'), 'token' => env('KEYBRAKE_API_KEY')]
        return Http::baseUrl(config('services.keybrake.url'))->withToken(config('services.keybrake.token'))->timeout(30);
    }
}
