using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// No room can call out: an address in a record, a form or a file leads nowhere, because the product has nothing that would
/// go there (threats P7). The exceptions are named: the socket inside the data folder, the bench that asks its own
/// server, and letters to the server of mail that an administrator has set. The databases are reached by their drivers alone.
/// </summary>
public partial class NetworkTests
{
    private static readonly string[] Spaces = ["System.Net.Http", "System.Net.Sockets", "System.Net.WebSockets", "System.Net.Mail", "System.Net.Quic", "System.Net.Security"];

    private static readonly HashSet<string> Types =
    [
        "System.Net.WebRequest", "System.Net.HttpWebRequest", "System.Net.WebClient", "System.Net.FtpWebRequest", "System.Net.Dns", "System.Net.NetworkInformation.Ping",
        "System.Xml.XmlUrlResolver", "System.Xml.XmlDocument", "System.Xml.XPath.XPathDocument", "System.Xml.Xsl.XslCompiledTransform", "System.Xml.Schema.XmlSchemaSet",
    ];

    // The room that is the process: only these of its files may name what could call out.
    private static readonly string[] FilesThatMay = ["src/Cli/Bench/", "src/Cli/Serving/LocalSocket.cs", "src/Cli/Serving/Certificates.cs", "src/Cli/Serving/Server.cs", "src/Cli/Serving/ShownCertificate.cs", "src/Cli/Watch/SmtpCarrier.cs"];

    public static TheoryData<string> Rooms => [.. House.Rooms.Where(room => room != "Cli")];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_names_nothing_that_could_call_out(string room) => House.None(CallsOut(House.AssemblyPath(room)));

    [Fact]
    public void The_process_calls_nobody_but_its_own_folder_its_own_bench_and_the_mail_server_that_was_set()
    {
        House.None(House.Sources("src/Cli/", ".cs")
            .Where(file => !FilesThatMay.Any(may => file.StartsWith(may, StringComparison.Ordinal)) && Called().IsMatch(House.Read(file))));

        // The socket is one of the file system, the certificate asks for this machine's name, and the server names errors.
        Assert.DoesNotMatch(@"AddressFamily\.(?!Unix)|new TcpClient|DnsEndPoint|IPEndPoint", House.Read("src/Cli/Serving/LocalSocket.cs"));
        Assert.Equal(["Dns.GetHostName"], Called().Matches(House.Read("src/Cli/Serving/Certificates.cs")).Select(match => match.Value).Distinct());
        Assert.DoesNotMatch(@"new (Socket|TcpClient|HttpClient)|\.ConnectAsync", House.Read("src/Cli/Serving/Server.cs"));

        // What a handshake is answered with; nobody is asked about the certificate.
        Assert.DoesNotMatch(@"new (Socket|TcpClient|HttpClient|SslStream)|AsClient|\.ConnectAsync|offline: false", House.Read("src/Cli/Serving/ShownCertificate.cs"));
        Assert.Contains("offline: true", House.Read("src/Cli/Serving/ShownCertificate.cs"), StringComparison.Ordinal);
    }

    [Fact]
    public void Letters_go_to_the_server_that_was_set_by_TLS_whose_name_and_chain_are_checked()
    {
        const string Carrier = "src/Cli/Watch/SmtpCarrier.cs";
        Assert.Equal(["TcpClient", "SslStream"], Called().Matches(House.Read(Carrier)).Select(match => match.Value).Distinct());
        Assert.DoesNotMatch("RemoteCertificateValidationCallback|UserCertificateValidation|VerificationFlags|Ssl3|Tls11", House.Read(Carrier));
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(House.Read(Carrier), @"ConnectAsync\(server\.Host, server\.Port", RegexOptions.None, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void What_could_call_out_is_found()
    {
        Assert.Contains("System.Net.Http.HttpClient", CallsOut(typeof(NetworkTests).Assembly.Location));
        Assert.Contains("System.Net.Sockets.Socket", CallsOut(House.AssemblyPath("Cli")));
        Assert.Matches(Called(), "using var http = new HttpClient();");
    }

    internal static Type Forbidden() => typeof(System.Net.Http.HttpClient);

    private static SortedSet<string> CallsOut(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        return new SortedSet<string>(
            metadata.TypeReferences.Select(metadata.GetTypeReference)
                .Select(type => (Space: metadata.GetString(type.Namespace), Name: metadata.GetString(type.Name)))
                .Where(type => Spaces.Contains(type.Space) || Types.Contains($"{type.Space}.{type.Name}"))
                .Select(type => $"{type.Space}.{type.Name}"),
            StringComparer.Ordinal);
    }

    [GeneratedRegex(@"\b(HttpClient|SocketsHttpHandler|WebRequest|WebClient|TcpClient|UdpClient|ClientWebSocket|SmtpClient|new Ping|new Socket|QuicConnection|SslStream|Dns\.\w+|XmlUrlResolver)", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Called();
}
