// Charges every customer of a run in goroutines. The cap holds over all of them together.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/stripe/stripe-go/v85"
)

const workers = 8

func charge(ctx context.Context, client *stripe.Client, label, customer string, cents int64) error {
	params := &stripe.PaymentIntentCreateParams{
		Amount:        stripe.Int64(cents),
		Currency:      stripe.String("usd"),
		Customer:      stripe.String(customer),
		Confirm:       stripe.Bool(true),
		PaymentMethod: stripe.String("pm_card_visa"),
	}
	params.SetIdempotencyKey(label + "-" + customer)
	_, err := client.V1PaymentIntents.Create(ctx, params)
	return err
}

// bill charges each customer once, and says how many charges were made and how many the cap refused.
func bill(ctx context.Context, label string, customers []string, cents int64, budget float64) (charged, refused int, err error) {
	key, err := Issue(ctx, label, budget)
	if err != nil {
		return 0, 0, err
	}
	defer key.Revoke()

	client := key.Stripe()
	pending := make(chan string)
	outcomes := make(chan error, len(customers))
	var group sync.WaitGroup
	for range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for customer := range pending {
				outcomes <- charge(ctx, client, label, customer, cents)
			}
		}()
	}
	for _, customer := range customers {
		pending <- customer
	}
	close(pending)
	group.Wait()
	close(outcomes)

	var failures []error
	for outcome := range outcomes {
		switch {
		case outcome == nil:
			charged++
		case IsCapHit(outcome):
			refused++
		default:
			failures = append(failures, outcome)
		}
	}
	return charged, refused, errors.Join(failures...)
}

func main() {
	label := flag.String("label", "go-billing/01", "the run")
	count := flag.Int("customers", 12, "how many are charged")
	budget := flag.Float64("budget", 150, "dollars that the run may spend")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	customers := make([]string, *count)
	for n := range customers {
		customers[n] = fmt.Sprintf("cus_%d", n)
	}
	charged, refused, err := bill(ctx, *label, customers, 2999, *budget)
	fmt.Printf("charged %d, refused by the cap %d\n", charged, refused)
	if err != nil {
		log.Print(err)
		os.Exit(1)
	}
}
