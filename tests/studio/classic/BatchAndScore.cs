// A program as users of the classic service wrote them: HttpClient with Microsoft.AspNet.WebApi.Client, whose classes
// send nulls, read the job's id as JSON and the status as an enumeration. Arguments: jobs address, its key, scoring
// address, its key, connection string, container.
using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Net.Http.Formatting;
using System.Net.Http.Headers;
using System.Threading.Tasks;

public class Reference
{
    public string ConnectionString { get; set; }
    public string RelativeLocation { get; set; }
    public string BaseLocation { get; set; }
    public string SasBlobToken { get; set; }
}

public enum StatusCode { NotStarted, Running, Failed, Cancelled, Finished }

public class Status
{
    public StatusCode StatusCode { get; set; }
    public IDictionary<string, Reference> Results { get; set; }
    public string Details { get; set; }
}

public class Request
{
    public Reference Input { get; set; }
    public IDictionary<string, string> GlobalParameters { get; set; }
    public IDictionary<string, Reference> Outputs { get; set; }
}

public class Table
{
    public string[] ColumnNames { get; set; }
    public string[][] Values { get; set; }
}

static class Program
{
    static void Main(string[] arguments)
    {
        Train(arguments[0], arguments[1], arguments[4], arguments[5]).Wait();
        Score(arguments[2], arguments[3]).Wait();
    }

    static async Task Train(string address, string key, string connection, string container)
    {
        Func<string, Reference> place = name => new Reference
        {
            ConnectionString = connection, RelativeLocation = "/" + container + "/" + name
        };
        using (var client = Client(key))
        {
            var request = new Request
            {
                Input = place("train.csv"),
                GlobalParameters = new Dictionary<string, string>(),
                Outputs = new Dictionary<string, Reference>
                {
                    { "output1", place("model.ilearner") }, { "output2", place("metrics.csv") }
                }
            };
            var submitted = await client.PostAsJsonAsync(address + "?api-version=2.0", request);
            submitted.EnsureSuccessStatusCode();
            var id = await submitted.Content.ReadAsAsync<string>();
            var started = await client.PostAsync(address + "/" + id + "/start?api-version=2.0", null);
            started.EnsureSuccessStatusCode();

            Status status;
            do
            {
                await Task.Delay(200);
                var answer = await client.GetAsync(address + "/" + id + "?api-version=2.0");
                status = await answer.Content.ReadAsAsync<Status>();
            }
            while (status.StatusCode == StatusCode.NotStarted || status.StatusCode == StatusCode.Running);

            Console.WriteLine(status.StatusCode + " " + status.Details);
            foreach (var result in status.Results)
            {
                var where = result.Value.BaseLocation + result.Value.RelativeLocation + result.Value.SasBlobToken;
                Console.WriteLine(result.Key + " " + (await new HttpClient().GetByteArrayAsync(where)).Length);
            }
        }
    }

    static async Task Score(string address, string key)
    {
        using (var client = Client(key))
        {
            client.BaseAddress = new Uri(address + "?api-version=2.0&details=true");
            var request = new
            {
                Inputs = new Dictionary<string, Table>
                {
                    {
                        "input1",
                        new Table
                        {
                            ColumnNames = new[] { "age", "hours", "job" },
                            Values = new[] { new[] { "40", "40", "clerk" }, new[] { "61", "55", "judge" } }
                        }
                    }
                },
                GlobalParameters = new Dictionary<string, string>()
            };
            var answer = await client.PostAsJsonAsync("", request);
            Console.WriteLine(await answer.Content.ReadAsStringAsync());
        }
    }

    static HttpClient Client(string key)
    {
        var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }
}
