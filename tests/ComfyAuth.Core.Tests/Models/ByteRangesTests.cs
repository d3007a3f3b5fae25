using ComfyAuth.Models;
using CsCheck;

namespace ComfyAuth.Tests.Models;

public sealed class ByteRangesTests
{
    private const int Size = 200;

    [Fact]
    public void Ranges_in_any_order_are_the_bytes_that_were_added() =>
        Gen.Select(Gen.Int[0, Size], Gen.Int[0, Size]).Array[0, 40].Sample(
            added =>
            {
                var ranges = new ByteRanges();
                var there = new bool[Size];
                foreach (var (from, to) in added)
                {
                    ranges.Add(from, to);
                    if (from < to)
                        there.AsSpan(from, to - from).Fill(true);
                }

                var told = new bool[Size];
                var last = -1L;
                foreach (var (from, to) in ranges.Ranges)
                {
                    // Neither overlaps nor touches: then it would be one range.
                    if (from <= last || to <= from)
                        return false;
                    last = to;
                    told.AsSpan((int)from, (int)(to - from)).Fill(true);
                }

                return told.AsSpan().SequenceEqual(there) && ranges.Total == there.Count(isThere => isThere);
            },
            iter: 2000);

    [Fact]
    public void What_is_there_and_what_is_missing_make_the_whole_in_order() =>
        Gen.Select(Gen.Select(Gen.Int[0, Size], Gen.Int[0, Size]).Array[0, 20], Gen.Int[1, 50]).Sample(
            (added, longest) =>
            {
                var ranges = new ByteRanges();
                foreach (var (from, to) in added)
                    ranges.Add(from, to);

                var (at, there) = (0L, 0L);
                foreach (var piece in ranges.Cut(Size, longest))
                {
                    if (piece.From != at || piece.To <= piece.From || (!piece.IsThere && piece.To - piece.From > longest))
                        return false;
                    at = piece.To;
                    there += piece.IsThere ? piece.To - piece.From : 0;
                }

                return at == Size && there == ranges.Total;
            },
            iter: 2000);
}
