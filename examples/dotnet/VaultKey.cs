using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

/// <summary>What one run spends with. The control token stays in the process that issues it.</summary>
public sealed class VaultKey
{
    private static readonly HttpClient Http = new HttpClient { Timeout = TimeSpan.FromSeconds(90) };
    private static readonly string Keybrake = Environment.GetEnvironmentVariable("KEYBRAKE_URL");
    private static readonly string ControlToken = Environment.GetEnvironmentVariable("KEYBRAKE_API_KEY");

    private readonly string id;
    private readonly string token;

    private VaultKey(string id, string token)
    {
        this.id = id;
        this.token = token;
    }

    /// <summary>The label is the Idempotency-Key, too: a start that is repeated within 24 hours gets the same key.</summary>
    public static async Task<VaultKey> IssueAsync(string label, decimal dailyUsdCap)
    {
        var cap = dailyUsdCap.ToString(CultureInfo.InvariantCulture);
        var wanted = "{\"template\": \"billing\", \"agent_run_label\": \"" + label + "\", \"daily_usd_cap\": " + cap + "}";
        var content = new StringContent(wanted, Encoding.UTF8, "application/json");
        var told = await ReadAsync(await SendAsync(HttpMethod.Post, "/vault/keys", ControlToken, content, label));
        return new VaultKey(FieldOf(told, "id"), FieldOf(told, "vault_key"));
    }

    /// <summary>A call to Stripe with this key, through Keybrake.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, IDictionary<string, string> fields, string idempotencyKey) =>
        SendAsync(HttpMethod.Post, "/stripe" + path, token, new FormUrlEncodedContent(fields), idempotencyKey);

    public async Task RevokeAsync()
    {
        try
        {
            await ReadAsync(await SendAsync(HttpMethod.Delete, "/vault/keys/" + id, ControlToken, null, null));
        }
        catch (HttpRequestException error)
        {
            Console.Error.WriteLine("{0} is not revoked and ends when it expires: {1}", id, error.Message);
        }
    }

    private static Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string bearer, HttpContent content, string idempotencyKey)
    {
        var request = new HttpRequestMessage(method, Keybrake + path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (idempotencyKey != null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        return Http.SendAsync(request);
    }

    private static async Task<string> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode) throw new HttpRequestException((int)answer.StatusCode + ": " + text);
        return text;
    }

    /// <summary>Two fields of plain letters and digits; System.Text.Json does it where it is at hand.</summary>
    private static string FieldOf(string json, string name) =>
        Regex.Match(json, "\"" + name + "\":\"([^\"]+)\"").Groups[1].Value;
}
