using System.Security.Cryptography;
using System.Text;
using Mangrove.Portability.Fhir;
using Mangrove.Portability.Package;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Portability.Fhir;

public sealed class MutationTests
{
    private static readonly string[] Fragments =
    [
        "{", "}", "[", "]", "\"", ",", ":", "null", "true", "1e999", "-0", "{}", "[]", "\"\"", "\\u0000", "\\ud800", "\"resourceType\":\"Bundle\"", "\"id\":\"x\"",
        "\"reference\":\"#\"", "\"reference\":\"Patient?identifier=%\"", "\"contained\":[{}]", "\"_status\":{\"id\":\"a\"}", "\"status\":", "99999999999999999999", "\u2028", "\\",
    ];

    [Fact]
    public void No_mutant_of_a_real_bundle_makes_the_reader_throw()
    {
        var mutants = SharedData.Full ? 100_000 : 2_000;
        var originals = Originals();
        var reader = new ResourceReader();
        var refused = 0;
        var taken = 0;

        // The seed is in the failure message, so every mutant can be made again.
        for (var seed = 0; seed < mutants; seed++)
        {
            var mutant = Mutate(originals[seed % originals.Count], seed);
            using var scratch = new MemoryStream(mutant);
            try
            {
                var file = InputFile.Readable("mutant", seed % 7 == 0 ? InputKind.Ndjson : InputKind.Json, scratch);
                var index = new ReferenceIndex();
                foreach (var batch in reader.Read(file))
                {
                    using (batch)
                    {
                        var first = index.Add(batch);
                        refused += batch.Rejections.Count;
                        taken += batch.Resources.Count;
                        for (var i = 0; i < batch.Resources.Count; i++)
                        {
                            index.OwnerOf(first + i);
                            Typed.RoundTrip(batch.Resources[i].Json);
                        }
                    }
                }
            }
            catch (Exception error)
            {
                throw new Xunit.Sdk.XunitException($"The mutant of seed {seed} made the reader throw {error.GetType().Name}", error);
            }
        }

        Assert.True(refused > mutants / 4, "The mutants are too tame.");
        Assert.True(taken > mutants / 20, "The mutants are too wild.");
    }

    private static List<byte[]> Originals()
    {
        // Whole bundles of a hospital are large; the smaller ones and the odd examples give more mutants a second.
        var originals = new List<byte[]>();
        foreach (var path in new[] { "data/fhir-synthea/smart-synthea-r4-100.tar.gz", "data/fhir-odd/hl7-fhir-r4-examples.tar.gz", "data/fhir-odd/us-core-examples.tar.gz" })
        {
            foreach (var file in new InputFiles().Open([SharedData.Require(path)]))
            {
                using var memory = new MemoryStream();
                file.Content?.CopyTo(memory);
                if (memory.Length is > 0 and < 200_000)
                {
                    originals.Add(memory.ToArray());
                }
            }
        }

        return originals;
    }

    private static byte[] Mutate(byte[] original, int seed)
    {
        var stream = SHA256.HashData(BitConverter.GetBytes(seed));
        var used = 0;
        var bytes = original.ToList();
        var edits = 1 + (stream[used++] % 4);
        for (var edit = 0; edit < edits && bytes.Count > 16; edit++)
        {
            var kind = stream[used++] % 7;
            var at = (int)(BitConverter.ToUInt32(stream, used) % (uint)bytes.Count);
            used += 2;
            var length = Math.Min(1 + (stream[used++] % 64), bytes.Count - at);
            switch (kind)
            {
                case 0:
                    bytes[at] ^= (byte)(1 << (stream[used] % 8));
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 3:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Fragments[stream[used] % Fragments.Length]));
                    break;
                case 4:
                    Exchange(bytes, at, Fragments[stream[used] % Fragments.Length]);
                    break;
                case 5:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    DropProperty(bytes, at);
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>Puts a fragment in the place of the next value, so that the text often stays JSON.</summary>
    private static void Exchange(List<byte> bytes, int at, string fragment)
    {
        var colon = bytes.IndexOf((byte)':', at);
        var end = colon < 0 ? -1 : bytes.FindIndex(colon, static b => b is (byte)',' or (byte)'}');
        if (end > 0)
        {
            bytes.RemoveRange(colon + 1, end - colon - 1);
            bytes.InsertRange(colon + 1, Encoding.UTF8.GetBytes(fragment));
        }
    }

    private static void DropProperty(List<byte> bytes, int at)
    {
        var from = bytes.IndexOf((byte)',', at);
        var to = from < 0 || from + 1 >= bytes.Count ? -1 : bytes.IndexOf((byte)',', from + 1);
        if (to > 0)
        {
            bytes.RemoveRange(from, to - from);
        }
    }
}
