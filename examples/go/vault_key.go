package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// VaultKey is what one run spends with. It holds no control token.
type VaultKey struct {
	ID    string `json:"id"`
	Token string `json:"vault_key"`
}

// Issue asks Keybrake for a key. The label is the Idempotency-Key, too: a start that is repeated gets the same key.
func Issue(ctx context.Context, label string, dailyUSDCap float64) (*VaultKey, error) {
	wanted := map[string]any{"template": "billing", "agent_run_label": label, "daily_usd_cap": dailyUSDCap}
	key := &VaultKey{}
	return key, control(ctx, http.MethodPost, "/vault/keys", label, wanted, key)
}

// Revoke ends the key. Deferred, so it has a context of its own: the run's may be cancelled by then.
func (key *VaultKey) Revoke() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := control(ctx, http.MethodDelete, "/vault/keys/"+key.ID, "", nil, nil); err != nil {
		log.Printf("%s is not revoked and ends when it expires: %v", key.ID, err)
	}
}

// Stripe is the official client, pointed at Keybrake. It takes no path in its URL; that the key is for Stripe, Keybrake
// knows by itself.
func (key *VaultKey) Stripe() *stripe.Client {
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:               stripe.String(os.Getenv("KEYBRAKE_URL")),
		HTTPClient:        &http.Client{Timeout: 90 * time.Second},
		MaxNetworkRetries: stripe.Int64(2),
	})
	return stripe.NewClient(key.Token, stripe.WithBackends(backends))
}

// IsCapHit says whether a cap refused the call: nothing was sent, and repeating it is of no use until the cap resets.
func IsCapHit(err error) bool {
	var refused *stripe.Error
	return errors.As(err, &refused) && refused.Code == "keybrake_cap_exceeded"
}

func control(ctx context.Context, method, path, idempotencyKey string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, os.Getenv("KEYBRAKE_URL")+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KEYBRAKE_API_KEY"))
	request.Header.Set("Content-Type", "application/json")
	if idempotencyKey != "" {
		request.Header.Set("Idempotency-Key", idempotencyKey)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	told, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("keybrake answered %d: %s", response.StatusCode, told)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(told, answer)
}
