using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Net;
using System.Net.Sockets;
using Mangrove.Kernel;
using Mangrove.Portability.Exchange;
using Mangrove.Tests.Clinic;
using Mangrove.Vault;

namespace Mangrove.Tests.Portability.Exchange;

/// <summary>Beside nothing else: the runtime tells of every connection of the process, also those of other tests.</summary>
[CollectionDefinition(nameof(NetworkAlone), DisableParallelization = true)]
public sealed class NetworkAlone;

/// <summary>An import follows no address that a file names: not one connection is begun and not one name looked up (threats P7).</summary>
[Collection(nameof(NetworkAlone))]
public sealed class NothingIsFetchedTests
{
    private const string Name = "fetched-by-mangrove.invalid";

    [Fact]
    public async Task An_import_full_of_addresses_opens_no_connection_and_looks_up_no_name()
    {
        using var door = new TcpListener(IPAddress.Loopback, 0);
        door.Start();
        var port = ((IPEndPoint)door.LocalEndpoint).Port;
        using var scratch = new Scratch();
        foreach (var address in (string[])[$"http://127.0.0.1:{port}", "http://169.254.169.254", $"http://{Name}", $"https://[::1]:{port}", "file:///etc/passwd"])
        {
            WriteAll(scratch, address);
        }

        var hospital = await TestHospital.Shared(StorageKind.Sqlite);
        var admin = await hospital.As(Role.Admin);
        using var network = new NetworkEvents();
        var report = await new FhirImport(hospital.Clinics, hospital.Door, hospital.Vault.Fingerprints, hospital.Events, hospital.Clock)
            .Run([scratch.Folder], dryRun: false, admin, null, default);

        Assert.Equal(15, report.Files);
        Assert.Equal(5, report.Stored["Patient"]);
        Assert.Equal(10, report.Rejected.Count(one => one.Code is "fhir.bad-narrative" or "import.not-json"));
        Assert.False(door.Pending());
        Assert.Empty(network.Seen);

        // A connection and a name that are really asked for are seen.
        using var caller = new TcpClient();
        await caller.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<SocketException>(() => Dns.GetHostAddressesAsync(Name, TestContext.Current.CancellationToken));
        Assert.True(door.Pending());
        Assert.Contains(network.Seen, seen => seen.StartsWith("ConnectStart", StringComparison.Ordinal));
        Assert.Contains(network.Seen, seen => seen.StartsWith("ResolutionStart", StringComparison.Ordinal));
    }

    /// <summary>One bundle that names the address wherever FHIR has a place for one, and two files that would have a parser of XML fetch it.</summary>
    private static void WriteAll(Scratch scratch, string address)
    {
        var id = Ids.New().ToString("D");
        scratch.Write($"{id}.json", $$$"""
            {"resourceType":"Bundle","type":"collection","link":[{"relation":"next","url":"{{{address}}}/next"}],"entry":[
            {"fullUrl":"{{{address}}}/Patient/{{{id}}}","resource":{"resourceType":"Patient","id":"{{{id}}}","implicitRules":"{{{address}}}/rules",
            "meta":{"profile":["{{{address}}}/profile"],"source":"{{{address}}}/source"},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><img src=\"{{{address}}}/pixel.png\" alt=\"x\"/><a href=\"{{{address}}}/\">x</a></div>"},
            "extension":[{"url":"{{{address}}}/extension","valueUri":"{{{address}}}/value"}],"name":[{"family":"Fetch"}],
            "photo":[{"contentType":"image/png","url":"{{{address}}}/photo.png"}],"generalPractitioner":[{"reference":"{{{address}}}/Practitioner/1"}],
            "managingOrganization":{"reference":"{{{address}}}/Organization/1"},"link":[{"other":{"reference":"{{{address}}}/Patient/2"},"type":"seealso"}]}},
            {"fullUrl":"{{{address}}}/DocumentReference/1","resource":{"resourceType":"DocumentReference","id":"d{{{id}}}","status":"current","subject":{"reference":"{{{address}}}/Patient/{{{id}}}"},
            "content":[{"attachment":{"contentType":"application/pdf","url":"{{{address}}}/document.pdf"}}]}},
            {"fullUrl":"{{{address}}}/Observation/1","resource":{"resourceType":"Observation","id":"o{{{id}}}","status":"final","subject":{"reference":"{{{address}}}/Patient/{{{id}}}"},
            "code":{"coding":[{"system":"{{{address}}}/codes","code":"x"}],"text":"x"},"derivedFrom":[{"reference":"{{{address}}}/Media/1"}],"valueString":"{{{address}}}"}}]}
            """);
        scratch.Write($"{id}-entity.json", $$$"""{"resourceType":"Patient","text":{"status":"generated","div":"<!DOCTYPE x [<!ENTITY a SYSTEM '{{{address}}}/entity'>]><div xmlns=\"http://www.w3.org/1999/xhtml\">&a;</div>"}}""");
        scratch.Write($"{id}-xml.json", $"""<?xml version="1.0"?><!DOCTYPE Patient SYSTEM "{address}/patient.dtd" [<!ENTITY % p SYSTEM "{address}/parameter">%p;]><Patient xmlns="http://hl7.org/fhir"/>""");
    }

    /// <summary>What the runtime itself tells of connections and names. Sockets in folders, by which PostgreSQL is reached, are no network.</summary>
    private sealed class NetworkEvents : EventListener
    {
        private readonly ConcurrentQueue<string> seen = new();

        public IReadOnlyCollection<string> Seen => seen;

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name is "System.Net.Sockets" or "System.Net.NameResolution" or "System.Net.Http")
            {
                EnableEvents(eventSource, EventLevel.LogAlways);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            var about = string.Join(' ', eventData.Payload ?? []);
            if (eventData.EventName is "ConnectStart" or "ResolutionStart" or "RequestStart" && !about.StartsWith("Unix", StringComparison.Ordinal))
            {
                seen?.Enqueue($"{eventData.EventName} {about}");
            }
        }
    }
}
