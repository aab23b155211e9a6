using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Sealing;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Sealing;

public sealed class EnvelopeTests : IDisposable
{
    private static readonly Guid Facility = Guid.Parse("0192f0c1-0000-4000-8000-000000000001");
    private static readonly Guid OtherId = Guid.Parse("0192f0c1-0000-4000-8000-0000000000ff");
    private static readonly Guid KeyId = Guid.Parse("0192f0c1-0000-4000-8000-00000000000a");

    private static readonly CellAddress Here = new(
        Facility, "patient", "name", Guid.Parse("0192f0c1-0000-4000-8000-000000000002"),
        Guid.Parse("0192f0c1-0000-4000-8000-000000000003"), 1);

    private readonly KeyMaterial key = KeyMaterial.Generate();

    public void Dispose() => key.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(960)]
    [InlineData(1_021)]
    [InlineData(100_000)]
    public void A_value_of_any_length_comes_back_by_every_way_of_opening(int length)
    {
        var value = RandomNumberGenerator.GetBytes(length);
        foreach (var padding in new[] { default, Padding.Padme, Padding.To(1), Padding.To(16), Padding.To(500) })
        {
            var envelope = Envelope.Seal(value, key, KeyId, 7, Here, padding);

            Assert.Equal(new EnvelopeHeader(KeyId, 7), Envelope.ReadHeader(envelope));
            Assert.Equal(value, Envelope.Open(envelope, key, Here));

            var room = new byte[Envelope.LongestContent(envelope.Length)];
            Assert.Equal(value, room.AsSpan(0, Envelope.Open(envelope, key, Here, room)).ToArray());

            var writer = new ArrayBufferWriter<byte>();
            Envelope.Open(envelope, key, Here, writer);
            Assert.Equal(value, writer.WrittenSpan.ToArray());
        }
    }

    [Fact]
    public void A_value_longer_than_the_callers_room_is_refused()
    {
        var envelope = Envelope.Seal(new byte[10], key, KeyId, 1, Here);
        Assert.Throws<ArgumentException>(() => Envelope.Open(envelope, key, Here, new byte[9]));
    }

    [Fact]
    public void The_plaintext_does_not_stand_in_the_envelope()
    {
        var value = "Amina Yusuf Abdirahman"u8.ToArray();
        var envelope = Envelope.Seal(value, key, KeyId, 1, Here);
        Assert.Equal(-1, envelope.AsSpan().IndexOf("Amina"u8));
    }

    [Fact]
    public void The_bytes_stand_where_the_format_document_says()
    {
        var envelope = Envelope.Seal("A+"u8, key, KeyId, 0x01020304, Here, Padding.To(8));

        Assert.Equal(2 + 4 + 16 + 12 + 4 + 8 + 16, envelope.Length);
        Assert.Equal("4d01" + "01020304" + "0192f0c10000400080000000" + "0000000a", Convert.ToHexStringLower(envelope.AsSpan(0, 22)));

        // Opened by hand from the document, sharing nothing with the code under test.
        var associated = new List<byte>();
        foreach (var field in new[]
        {
            [0x4d, 0x01], Here.Facility.ToByteArray(bigEndian: true), "patient"u8.ToArray(), "name"u8.ToArray(),
            Here.Row.ToByteArray(bigEndian: true), Here.Patient.ToByteArray(bigEndian: true),
            KeyId.ToByteArray(bigEndian: true), [1, 2, 3, 4], new byte[] { 0, 0, 0, 1 },
        })
        {
            associated.Add(0);
            associated.Add((byte)field.Length);
            associated.AddRange(field);
        }

        using var gcm = new AesGcm(key.Bytes, 16);
        var body = new byte[12];
        gcm.Decrypt(envelope.AsSpan(22, 12), envelope.AsSpan(34, 12), envelope.AsSpan(46, 16), body, associated.ToArray());
        Assert.Equal(new byte[] { 0, 0, 0, 2, (byte)'A', (byte)'+', 0, 0, 0, 0, 0, 0 }, body);
    }

    [Fact]
    public void A_value_moved_to_any_other_place_does_not_open()
    {
        CellAddress[] places =
        [
            Here,
            Here with { Facility = OtherId },
            Here with { Table = "visit" },
            Here with { Column = "phone" },
            Here with { Row = OtherId },
            Here with { Patient = OtherId },
            Here with { RowVersion = 2 },
            Here with { RowVersion = 0 },
            Here with { Table = "patientn", Column = "ame" },
            Here with { Table = "name", Column = "patient" },
            Here with { Row = Here.Patient, Patient = Here.Row },
        ];
        var sealedThere = places.Select(place => Envelope.Seal("value"u8, key, KeyId, 1, place)).ToArray();
        for (var from = 0; from < places.Length; from++)
        {
            for (var to = 0; to < places.Length; to++)
            {
                if (from == to)
                {
                    Assert.Equal("value"u8.ToArray(), Envelope.Open(sealedThere[from], key, places[to]));
                }
                else
                {
                    var (envelope, place) = (sealedThere[from], places[to]);
                    Assert.Throws<SealBroken>(() => Envelope.Open(envelope, key, place));
                }
            }
        }
    }

    [Fact]
    public void A_wrong_key_a_wrong_key_id_and_a_wrong_tag_give_one_and_the_same_answer()
    {
        using var other = KeyMaterial.Generate();
        var envelope = Envelope.Seal("value"u8, key, KeyId, 1, Here);
        var wrongId = (byte[])envelope.Clone();
        wrongId[10] ^= 1;
        var wrongTag = (byte[])envelope.Clone();
        wrongTag[^1] ^= 1;

        var answers = new[]
        {
            Assert.Throws<SealBroken>(() => Envelope.Open(envelope, other, Here)),
            Assert.Throws<SealBroken>(() => Envelope.Open(wrongId, key, Here)),
            Assert.Throws<SealBroken>(() => Envelope.Open(wrongTag, key, Here)),
            Assert.Throws<SealBroken>(() => Envelope.Open([], key, Here)),
            new SealBroken(),
        };
        Assert.Single(answers.Select(answer => (answer.Code, answer.Message)).Distinct());
        Assert.Equal("seal.broken", answers[0].Code);
        Assert.All(answers, answer => Assert.Null(answer.InnerException));
    }

    [Fact]
    public void A_shortened_tag_is_refused_at_every_length()
    {
        var envelope = Envelope.Seal("value"u8, key, KeyId, 1, Here);
        for (var tag = 0; tag < Envelope.TagSize; tag++)
        {
            var shorter = envelope[..(envelope.Length - Envelope.TagSize + tag)];
            Assert.Throws<SealBroken>(() => Envelope.Open(shorter, key, Here));
        }

        for (var length = 0; length < envelope.Length; length++)
        {
            var shorter = envelope[..length];
            Assert.Throws<SealBroken>(() => Envelope.Open(shorter, key, Here));
        }
    }

    [Fact]
    public void Unsealed_bytes_never_pass_through()
    {
        foreach (var plain in new[] { "", "Amina", "{\"a\":1}", "$2b$12$abcdef", new string('M', 200) })
        {
            Assert.Throws<SealBroken>(() => Envelope.Open(Encoding.UTF8.GetBytes(plain), key, Here));
            Assert.Throws<SealBroken>(() => Envelope.ReadHeader(Encoding.UTF8.GetBytes(plain)));
        }
    }

    [Fact]
    public void No_changed_envelope_is_accepted_and_only_the_broken_seal_escapes()
    {
        var rounds = SharedData.Full ? 1_000_000 : 100_000;
        var seeds = new SeededBytes(20_261_101);
        var envelope = Envelope.Seal("value"u8, key, KeyId, 1, Here);
        var room = new byte[4096];
        var accepted = 0;
        for (var round = 0; round < rounds; round++)
        {
            var mutant = Mutate(envelope, seeds);
            if (mutant.AsSpan().SequenceEqual(envelope))
            {
                continue;
            }

            try
            {
                Envelope.Open(mutant, key, Here, room);
                accepted++;
            }
            catch (SealBroken)
            {
                // The one answer that is allowed; any other exception fails the test.
            }
        }

        Assert.Equal(0, accepted);
    }

    [Fact]
    public void Lengths_inside_one_padding_bucket_cannot_be_told_apart()
    {
        string[] coded = ["", "positive", "negative", "indeterminate"];
        Assert.Single(coded.Select(c => Envelope.Seal(Encoding.UTF8.GetBytes(c), key, KeyId, 1, Here, Padding.To(16)).Length).Distinct());
        Assert.Single(Enumerable.Range(0, 33).Select(n => Envelope.Seal(new byte[n], key, KeyId, 1, Here).Length).Distinct());
    }

    [Theory]
    [InlineData(0, 32)]
    [InlineData(32, 32)]
    [InlineData(33, 36)]
    [InlineData(100, 104)]
    [InlineData(1_000, 1_024)]
    [InlineData(9_000, 9_216)]
    [InlineData(1_000_000, 1_015_808)]
    public void Padme_gives_the_bucket_of_the_paper(int length, int padded) =>
        Assert.Equal(padded, Padding.Padme.PaddedLength(length));

    [Fact]
    public void Padme_never_shortens_and_costs_at_most_an_eighth()
    {
        var last = 0;
        for (var length = 0; length < 200_000; length++)
        {
            var padded = Padding.Padme.PaddedLength(length);
            Assert.True(padded >= length && padded >= last && (length < 33 || padded - length <= length / 8));
            last = padded;
        }
    }

    [Fact]
    public void An_address_without_proper_names_seals_nothing()
    {
        foreach (var name in new[] { "", "имя", new string('a', 65), null! })
        {
            Assert.Throws<ArgumentException>(() => Envelope.Seal("v"u8, key, KeyId, 1, Here with { Table = name }));
            Assert.Throws<ArgumentException>(() => Envelope.Seal("v"u8, key, KeyId, 1, Here with { Column = name }));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => Envelope.Seal("v"u8, key, KeyId, 0, Here));
    }

    [Fact]
    public async Task Many_threads_share_one_key()
    {
        var tasks = Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            for (var round = 0; round < 2_000; round++)
            {
                var value = BitConverter.GetBytes((worker * 10_000) + round);
                var envelope = Envelope.Seal(value, key, KeyId, 1, Here);
                Assert.Equal(value, Envelope.Open(envelope, key, Here));
            }
        }));
        await Task.WhenAll(tasks);
    }

    private static byte[] Mutate(byte[] envelope, SeededBytes seeds)
    {
        var mutant = (byte[])envelope.Clone();
        switch (seeds.Below(8))
        {
            case 0: // a bit of the header
                mutant[seeds.Below(34)] ^= (byte)(1 << seeds.Below(8));
                break;
            case 1: // a bit anywhere
                mutant[seeds.Below(mutant.Length)] ^= (byte)(1 << seeds.Below(8));
                break;
            case 2: // a random header
                seeds.Fill(mutant.AsSpan(0, 34));
                break;
            case 3: // a random header that claims the right format
                seeds.Fill(mutant.AsSpan(2, 32));
                break;
            case 4: // cut off
                return mutant[..seeds.Below(mutant.Length)];
            case 5: // prefix stripped
                return mutant[(1 + seeds.Below(mutant.Length - 1))..];
            case 6: // version set to nothing or below
                mutant.AsSpan(2, 4).Fill(seeds.Below(2) == 0 ? (byte)0 : (byte)0xff);
                break;
            default: // lengthened
                var longer = new byte[mutant.Length + 1 + seeds.Below(64)];
                seeds.Fill(longer);
                mutant.CopyTo(longer, 0);
                return longer;
        }

        return mutant;
    }
}
