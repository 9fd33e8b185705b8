// Charges every customer of a run in parallel tasks. The cap holds over all of them together.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Threading.Tasks;

public static class Program
{
    private const int AttemptsMax = 3;

    private enum Outcome { Charged, CapHit, Failed }

    public static int Main(string[] args) => BillAsync(args).GetAwaiter().GetResult();

    private static async Task<int> BillAsync(string[] args)
    {
        var label = args.Length > 0 ? args[0] : "dotnet-billing/01";
        var count = args.Length > 1 ? int.Parse(args[1]) : 12;
        var key = await VaultKey.IssueAsync(label, 150);
        try
        {
            var customers = Enumerable.Range(0, count).Select(n => "cus_" + n);
            var outcomes = await Task.WhenAll(customers.Select(customer => ChargeAsync(key, label, customer)));
            Console.WriteLine("charged {0}, refused by the cap {1}",
                outcomes.Count(outcome => outcome == Outcome.Charged),
                outcomes.Count(outcome => outcome == Outcome.CapHit));
            return outcomes.Contains(Outcome.Failed) ? 1 : 0;
        }
        finally
        {
            await key.RevokeAsync();
        }
    }

    private static async Task<Outcome> ChargeAsync(VaultKey key, string label, string customer)
    {
        for (var attempt = 1; ; attempt++)
        {
            var fields = new Dictionary<string, string>
            {
                ["amount"] = "2999", ["currency"] = "usd", ["customer"] = customer,
                ["confirm"] = "true", ["payment_method"] = "pm_card_visa",
            };
            using (var answer = await key.PostAsync("/v1/payment_intents", fields, label + "-" + customer))
            {
                if (answer.IsSuccessStatusCode) return Outcome.Charged;
                // Nothing was sent, and repeating it is of no use until the cap resets.
                if (answer.Headers.Contains("X-Keybrake-Cap-Hit")) return Outcome.CapHit;
                var status = (int)answer.StatusCode;
                var mayRepeat = status == 409 || status == 429 || status >= 500;
                if (!mayRepeat || attempt == AttemptsMax)
                {
                    Console.Error.WriteLine("{0}: {1} {2}", customer, status, await answer.Content.ReadAsStringAsync());
                    return Outcome.Failed;
                }
                await Task.Delay(answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(attempt));
            }
        }
    }
}
