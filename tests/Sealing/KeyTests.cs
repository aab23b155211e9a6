using System.Security.Cryptography;
using Mangrove.Sealing;

namespace Mangrove.Tests.Sealing;

public sealed class KeyTests
{
    [Fact]
    public void A_key_is_a_copy_is_zeroed_and_says_nothing_about_itself()
    {
        var source = RandomNumberGenerator.GetBytes(32);
        var key = KeyMaterial.From(source);
        var view = key.Bytes;
        source.AsSpan().Clear();
        Assert.True(view.ContainsAnyExcept((byte)0));
        Assert.Equal("key", key.ToString());

        key.Dispose();
        key.Dispose();
        Assert.False(view.ContainsAnyExcept((byte)0));
        Assert.Throws<ObjectDisposedException>(() => key.Bytes.Length);
        Assert.Throws<ObjectDisposedException>(() => Envelope.Seal([], key, Guid.Empty, 1, new CellAddress(default, "t", "c", default, default, 1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_key_of_another_length_is_refused(int length) =>
        Assert.Throws<ArgumentException>(() => KeyMaterial.From(new byte[length]));

    [Fact]
    public void Generated_keys_differ()
    {
        using var one = KeyMaterial.Generate();
        using var two = KeyMaterial.Generate();
        Assert.False(one.Bytes.SequenceEqual(two.Bytes));
    }

    [Fact]
    public void A_wrapped_key_unwraps_under_its_own_key_only()
    {
        using var root = KeyMaterial.Generate();
        using var other = KeyMaterial.Generate();
        using var key = KeyMaterial.Generate();
        var wrapped = KeyWrap.Wrap(root, key.Bytes);
        Assert.Equal(40, wrapped.Length);
        using var back = KeyWrap.Unwrap(root, wrapped);
        Assert.Equal(key.Bytes.ToArray(), back.Bytes.ToArray());
        Assert.Throws<SealBroken>(() => KeyWrap.Unwrap(other, wrapped));
        for (var bit = 0; bit < wrapped.Length * 8; bit++)
        {
            var mutant = (byte[])wrapped.Clone();
            mutant[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<SealBroken>(() => KeyWrap.Unwrap(root, mutant));
        }

        for (var length = 0; length < 64; length++)
        {
            var cut = new byte[length];
            Assert.Throws<SealBroken>(() => KeyWrap.Unwrap(root, cut));
        }
    }

    [Fact]
    public void A_wrapped_thing_that_is_not_a_32_byte_key_does_not_become_one()
    {
        using var root = KeyMaterial.Generate();
        foreach (var length in new[] { 1, 16, 25, 31, 33, 40 })
        {
            Assert.Throws<SealBroken>(() => KeyWrap.Unwrap(root, KeyWrap.Wrap(root, new byte[length])));
        }
    }

    [Fact]
    public void A_bound_key_unwraps_in_its_own_context_only()
    {
        using var root = KeyMaterial.Generate();
        using var other = KeyMaterial.Generate();
        using var key = KeyMaterial.Generate();
        var wrapped = KeyWrap.WrapBound(root, key, "patient-1"u8);
        using var back = KeyWrap.UnwrapBound(root, wrapped, "patient-1"u8);
        Assert.Equal(key.Bytes.ToArray(), back.Bytes.ToArray());
        Assert.Throws<SealBroken>(() => KeyWrap.UnwrapBound(root, wrapped, "patient-2"u8));
        Assert.Throws<SealBroken>(() => KeyWrap.UnwrapBound(root, wrapped, ""u8));
        Assert.Throws<SealBroken>(() => KeyWrap.UnwrapBound(other, wrapped, "patient-1"u8));
        Assert.NotEqual(wrapped, KeyWrap.WrapBound(root, key, "patient-1"u8));
        for (var bit = 0; bit < wrapped.Length * 8; bit++)
        {
            var mutant = (byte[])wrapped.Clone();
            mutant[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<SealBroken>(() => KeyWrap.UnwrapBound(root, mutant, "patient-1"u8));
        }

        for (var length = 0; length < wrapped.Length; length++)
        {
            var cut = wrapped[..length];
            Assert.Throws<SealBroken>(() => KeyWrap.UnwrapBound(root, cut, "patient-1"u8));
        }
    }

    [Fact]
    public void A_signature_verifies_for_its_own_bytes_and_key_only()
    {
        using var signer = CheckpointSigner.Generate();
        using var verifier = CheckpointVerifier.From(signer.ExportPublicKey());
        using var stranger = CheckpointSigner.Generate();
        var signature = signer.Sign("checkpoint"u8);
        Assert.Equal(64, signature.Length);
        Assert.True(verifier.Verify("checkpoint"u8, signature));
        Assert.False(verifier.Verify("Checkpoint"u8, signature));
        Assert.False(verifier.Verify("checkpoint"u8, stranger.Sign("checkpoint"u8)));
        Assert.False(verifier.Verify("checkpoint"u8, signature.AsSpan(0, 63)));
        Assert.False(verifier.Verify("checkpoint"u8, new byte[64]));
    }

    [Fact]
    public void A_signer_comes_back_from_its_wrapped_private_key()
    {
        using var root = KeyMaterial.Generate();
        using var signer = CheckpointSigner.Generate();
        var scalar = signer.ExportPrivateKey();
        var wrapped = KeyWrap.Wrap(root, scalar);
        using var unwrapped = KeyWrap.Unwrap(root, wrapped);
        using var back = CheckpointSigner.Import(unwrapped.Bytes);
        Assert.Equal(signer.ExportPublicKey(), back.ExportPublicKey());
        using var verifier = CheckpointVerifier.From(signer.ExportPublicKey());
        Assert.True(verifier.Verify("x"u8, back.Sign("x"u8)));
    }

    [Fact]
    public void Bytes_that_are_no_key_of_this_curve_are_refused()
    {
        Assert.Throws<SealBroken>(() => CheckpointSigner.Import(new byte[31]));
        Assert.Throws<SealBroken>(() => CheckpointSigner.Import(new byte[32]));
        Assert.Throws<SealBroken>(() => CheckpointSigner.Import(Enumerable.Repeat((byte)0xff, 32).ToArray()));
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Throws<SealBroken>(() => CheckpointVerifier.From(p384.ExportSubjectPublicKeyInfo()));
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Throws<SealBroken>(() => CheckpointVerifier.From([.. p256.ExportSubjectPublicKeyInfo(), 0]));
        Assert.Throws<SealBroken>(() => CheckpointVerifier.From([]));
    }
}
