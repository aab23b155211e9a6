using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Index;

namespace Mangrove.Tests.Vault.Index;

public sealed class PatientIndexTests : IDisposable
{
    private static readonly Category[] Everything = [Category.Name, Category.BirthAndSex, Category.Contact];
    private readonly PatientIndex index = new();
    private long registered;

    public void Dispose() => index.Dispose();

    [Theory]
    [InlineData("Müller", "Jürgen", "muller jurgen")]
    [InlineData("O'Brien", "Siobhán", "obrien siobhan")]
    [InlineData("O'Brien", "Siobhán", "o brien")]
    [InlineData("O'Brien", "Siobhán", "O’Brien")]
    [InlineData("Al-Hassan", "Nour", "hassan nour")]
    [InlineData("Al-Hassan", "Nour", "alhassan")]
    [InlineData("Bruen238", "Aaron697", "Aaron Bruen")]
    [InlineData("Bruen238", "Aaron697", "Aaron697 Bruen238")]
    [InlineData("Hassan", "Amina", "ami has")]
    [InlineData("Hassan", "Amina", "has ami")]
    [InlineData("Straße", "Łukasz", "STRASSE LUKASZ")]
    [InlineData("Çelik", "İbrahim", "celik ibrahim")]
    [InlineData("Rahman", "Abdel", "Abdelrahman")]
    [InlineData("Abdelrahman", "Yusuf", "Abdel Rahman")]
    public void A_name_is_found_however_its_letters_are_written(string family, string given, string typed)
    {
        var id = Register(new PersonName(family, [given]));
        Register(new PersonName("Somebody", ["Else"]));

        Assert.Equal(id, Assert.Single(Find(typed)).Id);
    }

    [Theory]
    [InlineData("محمد", "Mohamed")]
    [InlineData("محمد", "Muhammad")]
    [InlineData("حسن", "Hassan")]
    [InlineData("حسين", "Hussein")]
    [InlineData("أمينة", "Amina")]
    [InlineData("فاطمة", "Fatma")]
    [InlineData("خديجة", "Khadija")]
    [InlineData("يوسف", "Youssef")]
    [InlineData("عمر", "Omar")]
    [InlineData("علي", "Ali")]
    [InlineData("الحسن", "Hassan")]
    [InlineData("عائشة", "Aisha")]
    [InlineData("Михаил", "Mikhail")]
    [InlineData("Наталья", "Natalya")]
    [InlineData("Хасан", "Hasan")]
    [InlineData("Γεώργιος", "Georgios")]
    [InlineData("Παπαδόπουλος", "Papadopoulos")]
    public void A_Latin_query_finds_another_script_and_the_other_way_round(string written, string latin)
    {
        var native = Register(new PersonName(written, ["Zzz"]));
        Assert.Contains(Find(latin), hit => hit.Id == native);

        index.Remove(native);
        var plain = Register(new PersonName(latin, ["Zzz"]));
        Assert.Contains(Find(written), hit => hit.Id == plain);
    }

    [Theory]
    [InlineData("أحمد", "احمد")]
    [InlineData("فاطمة", "فاطمه")]
    [InlineData("مُحَمَّد", "محمد")]
    [InlineData("محـــمد", "محمد")]
    [InlineData("ليلى", "ليلي")]
    [InlineData("יצחק", "יצחק")]
    [InlineData("अमित", "अमित")]
    [InlineData("अमित", "अमि")]
    [InlineData("王小明", "王")]
    [InlineData("王小明", "小明")]
    [InlineData("王小明", "明")]
    [InlineData("김민준", "민준")]
    [InlineData("ガブリエル", "ガブ")]
    public void A_name_is_found_in_its_own_script(string written, string typed)
    {
        var id = Register(new PersonName(null, [], written));
        Register(new PersonName(null, [], "李四"));

        Assert.Equal(id, Assert.Single(Find(typed)).Id);
    }

    [Theory]
    [InlineData("Hassan", "Hasan")]
    [InlineData("Hassan", "Hussein")]
    [InlineData("Amina", "Aminah")]
    [InlineData("Amina", "Ameena")]
    [InlineData("Mohamed", "Muhammad")]
    [InlineData("Mohamed", "Mohammed")]
    [InlineData("Catherine", "Katherine")]
    [InlineData("Smith", "Smyth")]
    [InlineData("Meyer", "Maier")]
    [InlineData("Lakshmi", "Laxmi")]
    [InlineData("Aisha", "Aicha")]
    [InlineData("Elizabeth", "Elisabeth")]
    [InlineData("Philip", "Filip")]
    [InlineData("Ouedraogo", "Wedraogo")]
    [InlineData("Chaudhari", "Chowdhury")]
    public void Spellings_of_one_name_sound_alike(string registered, string typed)
    {
        var id = Register(new PersonName(registered, ["Xenia"]));

        var hit = Assert.Single(Find(typed));
        Assert.Equal(id, hit.Id);
        Assert.True(hit.Score < 45, "Sounding alike alone is weak evidence.");
        Assert.Equal(Fit.SoundsAlike, hit.Evidence.Family);
    }

    [Theory]
    [InlineData("Meyer", "Moore")]
    [InlineData("Hassan", "Mohamed")]
    [InlineData("Ali", "Ola")]
    [InlineData("Smith", "Snow")]
    public void Different_names_do_not_sound_alike(string registered, string typed)
    {
        Register(new PersonName(registered, []));

        Assert.Empty(Find(typed));
    }

    [Theory]
    [InlineData("Wanjiku", "Wanjku")]
    [InlineData("Wanjiku", "Wanjiiku")]
    [InlineData("Wanjiku", "Wamjiku")]
    [InlineData("Wanjiku", "Wajniku")]
    [InlineData("Wanjiku", "anjiku")]
    public void One_wrong_letter_still_finds_and_two_do_not(string registered, string typed)
    {
        var id = Register(new PersonName(registered, ["Mary"]));

        Assert.Equal(id, Assert.Single(Find(typed)).Id);
        Assert.Equal(id, Assert.Single(Find(typed + " Mary")).Id);
        Assert.Empty(Find("Xpnjiku"));
    }

    [Fact]
    public void Exact_comes_before_beginning_before_sound_before_typing_error()
    {
        var typo = Register(new PersonName("Hassgan", []));
        var sound = Register(new PersonName("Hussein", []));
        var beginning = Register(new PersonName("Hassanali", []));
        var exact = Register(new PersonName("Hassan", []));

        Assert.Equal([exact, beginning, sound, typo], Find("Hassan").Select(hit => hit.Id));
    }

    [Fact]
    public void Family_name_comes_before_the_same_word_as_given_name()
    {
        var given = Register(new PersonName("Adan", ["Abdi"]));
        var family = Register(new PersonName("Abdi", ["Adan"]));

        Assert.Equal([family, given], Find("Abdi").Select(hit => hit.Id));
    }

    [Fact]
    public void Every_word_must_be_in_a_word_of_its_own()
    {
        Register(new PersonName("Hassan", ["Ali"]));

        Assert.Empty(Find("Ali Ali"));
        Assert.Empty(Find("Hassan Juma"));
        Assert.Single(Find("Ali Hassan"));
    }

    [Fact]
    public void Single_four_part_text_only_and_nameless_patients_are_held()
    {
        var single = Register(new PersonName("Suharto", []));
        var four = Register(new PersonName("Farah", ["Mohamed", "Abdi", "Warsame"]));
        var text = Register(new PersonName(null, [], "Baby of Wanjiku"));
        var nameless = Register(PersonName.Unnamed);

        Assert.Equal(single, Assert.Single(Find("suharto")).Id);
        Assert.Equal(four, Assert.Single(Find("warsame abdi farah mohamed")).Id);
        Assert.Equal(four, Assert.Single(Find("abdi far")).Id);
        Assert.Equal(text, Assert.Single(Find("wanjiku baby")).Id);
        Assert.Equal(nameless, Assert.Single(Find(Number(3))).Id);
        Assert.Equal(4, index.Count);
    }

    [Fact]
    public void Hospital_number_is_found_whole_and_by_its_beginning()
    {
        var first = Register(new PersonName("One", []));
        var second = Register(new PersonName("Two", []));

        var whole = Assert.Single(Find(Number(0)));
        Assert.Equal(first, whole.Id);
        Assert.Equal(100, whole.Score);
        Assert.Equal(first, Assert.Single(Find(Number(0)[2..])).Id);
        Assert.Equal(second, Assert.Single(Find(Number(1).ToLowerInvariant())).Id);
        Assert.Equal([first, second], Find("P-1000").Select(hit => hit.Id));
        Assert.Empty(Find("P-2"));
    }

    [Fact]
    public void A_number_of_another_system_is_found_as_written()
    {
        var id = PatientId.New();
        index.Put(id, "KNH/12-AB", new PersonName("Doe", []), new BirthAndSex(null, AdministrativeSex.Unknown), []);

        Assert.Equal(id, Assert.Single(Find("KNH 12-AB")).Id);
    }

    [Theory]
    [InlineData("0712 345 678")]
    [InlineData("+254712345678")]
    [InlineData("00254 712-345678")]
    [InlineData("345678")]
    [InlineData("٠٧١٢٣٤٥٦٧٨")]
    public void Telephone_is_found_in_any_writing_by_those_who_may_see_it(string typed)
    {
        var id = Register(new PersonName("Doe", ["Jane"]), phones: ["+254 712 345678", "020 111222"]);
        Register(new PersonName("Roe", ["Rob"]), phones: ["+254 712 995678"]);

        Assert.Equal(id, Assert.Single(Find(typed)).Id);
        Assert.Empty(index.Search(new PatientQuery(typed), [Category.Name, Category.BirthAndSex]));
    }

    [Fact]
    public void Hits_hold_only_what_the_role_may_see()
    {
        Register(new PersonName("Doe", ["Jane"]), "1980-02-03", AdministrativeSex.Female, ["0712345678"]);
        var query = new PatientQuery("jane doe") { Born = PartialDate.From(new DateOnly(1980, 2, 3)), Sex = AdministrativeSex.Female, Phone = "0712345678" };

        var cashier = Assert.Single(index.Search(query, PatientIndex.FieldsFor(RoleMatrix.Of(Role.Cashier).Reads)));
        Assert.Null(cashier.Person);
        Assert.Null(cashier.Phones);
        Assert.Equal("Doe", cashier.Name!.Family);
        Assert.Equal(60, cashier.Score);
        Assert.Equal((Fit.Unknown, Fit.Unknown, Fit.Unknown), (cashier.Evidence.Born, cashier.Evidence.Sex, cashier.Evidence.Phone));

        var laboratory = Assert.Single(index.Search(query, PatientIndex.FieldsFor(RoleMatrix.Of(Role.LabTech).Reads)));
        Assert.Equal("1980-02-03", laboratory.Person!.Born);
        Assert.Null(laboratory.Phones);

        var desk = Assert.Single(index.Search(query, PatientIndex.FieldsFor(RoleMatrix.Of(Role.FrontDesk).Reads)));
        Assert.Equal(["0712345678"], desk.Phones);
        Assert.Equal(100, desk.Score);

        Assert.Empty(PatientIndex.FieldsFor(RoleMatrix.Of(Role.Admin).Reads));
        Assert.Empty(index.Search(query, []));
    }

    [Fact]
    public void Guard_scores_say_how_much_speaks_for_the_same_person()
    {
        Register(new PersonName("Hassan", ["Amina"]), "1980-02-03", AdministrativeSex.Female, ["+254712345678"]);
        PatientHit Guard(string name, string? born = null, string? phone = null, AdministrativeSex? sex = null) =>
            Assert.Single(index.Search(new PatientQuery(name) { Born = PartialDate.TryParse(born, out var date) ? date : null, Phone = phone, Sex = sex }, Everything));

        var same = Guard("Amina Hassan", "1980-02-03", "0712345678");
        Assert.InRange(same.Score, 94, 100);
        Assert.Equal(new MatchEvidence(Fit.Same, Fit.Same, Fit.Unknown, Fit.Same, Fit.Unknown, Fit.Same), same.Evidence);
        Assert.Equal(100, Guard("Amina Hassan", "1980-02-03", "0712345678", AdministrativeSex.Female).Score);

        var sounds = Guard("Aminah Hussein");
        Assert.InRange(sounds.Score, 1, 44);
        Assert.Equal((Fit.SoundsAlike, Fit.SoundsAlike), (sounds.Evidence.Family, sounds.Evidence.Given));
        Assert.InRange(Guard("Aminah Hussein", "1980-02-03", "0712345678").Score, 70, 85);

        Assert.Equal((Fit.Partly, 70), (Guard("Amina Hassan", "1980").Evidence.Born, Guard("Amina Hassan", "1980").Score));
        Assert.Equal(Fit.Partly, Guard("Amina Hassan", "~1981").Evidence.Born);
        Assert.Equal(Fit.Partly, Guard("Amina Hassan", "1980-03-02").Evidence.Born);
        Assert.Equal(Fit.Partly, Guard("Amina Hassan", "1990-02-03").Evidence.Born);
        var differs = Guard("Amina Hassan", "1965-11-30", sex: AdministrativeSex.Male);
        Assert.Equal((Fit.Differs, Fit.Differs), (differs.Evidence.Born, differs.Evidence.Sex));
        Assert.InRange(differs.Score, 0, 44);
    }

    [Fact]
    public void Guard_finds_a_changed_family_name_by_birth_date_and_another_name_by_telephone()
    {
        var id = Register(new PersonName("Hassan", ["Amina"]), "1980-02-03", AdministrativeSex.Female, ["+254712345678"]);
        Register(new PersonName("Njoroge", ["Amina"]), "1991-01-01");

        var married = Assert.Single(index.Search(new PatientQuery("Amina Otieno") { Born = PartialDate.From(new DateOnly(1980, 2, 3)) }, Everything));
        Assert.Equal((id, Fit.Differs, Fit.Same), (married.Id, married.Evidence.Family, married.Evidence.Given));
        var telephone = Assert.Single(index.Search(new PatientQuery("Peter Otieno") { Phone = "0712 345 678" }, Everything));
        Assert.Equal((id, Fit.Same), (telephone.Id, telephone.Evidence.Phone));
        Assert.InRange(telephone.Score, 1, 30);
    }

    [Fact]
    public void The_name_in_a_second_script_is_searched_and_is_evidence()
    {
        var id = Register(new PersonName("Hassan", ["Amina"], Other: "أمينة حسن"));

        var hit = Assert.Single(index.Search(new PatientQuery("Zxcv") { OtherScript = "امينه حسن" }, Everything));
        Assert.Equal((id, Fit.Same), (hit.Id, hit.Evidence.Other));
    }

    [Fact]
    public void Replacing_and_removing_leaves_nothing_of_the_former_entry()
    {
        var id = PatientId.New();
        index.Put(id, Number(0), new PersonName("Former", ["Name"]), new BirthAndSex("1990", AdministrativeSex.Male), ["0711111111"]);
        index.Put(id, Number(1), new PersonName("Latter", ["Nomen"]), new BirthAndSex("1991", AdministrativeSex.Female), ["0722222222"]);

        Assert.Equal(1, index.Count);
        Assert.Empty(Find("former"));
        Assert.Empty(Find(Number(0)));
        Assert.Empty(Find("0711111111"));
        Assert.Equal("1991", Assert.Single(Find("latter")).Person!.Born);
        Assert.Single(Find("0722222222"));

        index.Remove(id);
        index.Remove(id);
        Assert.Equal(0, index.Count);
        Assert.Empty(Find("latter"));
        Assert.Empty(Find(Number(1)));
        Assert.Empty(Find("0722222222"));

        var next = Register(new PersonName("Latter", []));
        Assert.Equal(next, Assert.Single(Find("latter")).Id);
    }

    [Fact]
    public void A_load_does_not_undo_what_was_put_or_removed_meanwhile()
    {
        var changed = PatientId.New();
        var removed = PatientId.New();
        index.Expect(2);
        Assert.False(index.Ready);
        index.Put(changed, Number(0), new PersonName("Newer", []), new BirthAndSex(null, AdministrativeSex.Unknown), []);
        index.Remove(removed);
        index.PutMany(
        [
            new IndexEntry(changed, Number(0), new PersonName("Older", []), new BirthAndSex(null, AdministrativeSex.Unknown), []),
            new IndexEntry(removed, Number(1), new PersonName("Gone", []), new BirthAndSex(null, AdministrativeSex.Unknown), []),
        ]);
        index.Complete();

        Assert.Equal(new IndexProgress(1, 2, true), index.Progress);
        Assert.Single(Find("newer"));
        Assert.Empty(Find("older"));
        Assert.Empty(Find("gone"));
    }

    [Fact]
    public void Numbers_loaded_in_any_order_are_found_by_their_beginning_once_the_load_is_complete()
    {
        foreach (var i in new[] { 7, 3, 9, 1 })
        {
            index.Load(new IndexEntry(PatientId.New(), Number(i), PersonName.Unnamed, new BirthAndSex(null, AdministrativeSex.Unknown), []));
        }

        index.Complete();
        index.Put(PatientId.New(), Number(5), PersonName.Unnamed, new BirthAndSex(null, AdministrativeSex.Unknown), []);

        Assert.Equal([Number(1), Number(3), Number(5), Number(7), Number(9)], Find("P-1000").Select(hit => hit.Mrn));
    }

    [Fact]
    public void Many_equal_hits_come_in_the_same_order_whatever_the_order_of_registration()
    {
        string[] given = ["Zoe", "Amy", "Max", "Bob", "Eva", "Ida"];
        foreach (var name in given)
        {
            Register(new PersonName("Tie", [name]));
        }

        using var other = new PatientIndex();
        foreach (var name in given.Reverse())
        {
            other.Put(PatientId.New(), Number(registered++), new PersonName("Tie", [name]), new BirthAndSex(null, AdministrativeSex.Unknown), []);
        }

        var first = Find("tie", most: 4).Select(hit => hit.Name!.Given[0]).ToArray();
        Assert.Equal(["Amy", "Bob", "Eva", "Ida"], first);
        Assert.Equal(first, other.Search(new PatientQuery("tie", 4), Everything).Select(hit => hit.Name!.Given[0]));
    }

    [Fact]
    public void A_common_word_still_finds_the_rare_companion_among_many_thousands()
    {
        index.PutMany(Enumerable.Range(0, 20_000).Select(i => new IndexEntry(
            PatientId.New(), Number(i), new PersonName(i == 17_654 ? "Wanjiku" : "Hassan", ["Mohamed"]), new BirthAndSex(null, AdministrativeSex.Unknown), [])));
        index.Complete();

        Assert.Equal(Number(17_654), Assert.Single(Find("wanjiku moh")).Mrn);
        Assert.Equal(Number(17_654), Assert.Single(Find("mohamed wanj")).Mrn);
        Assert.Equal(Number(17_654), Assert.Single(Find("muhammad wanjku")).Mrn);
        Assert.Equal(Number(17_654), Assert.Single(Find(Number(17_654))).Mrn);
        Assert.Equal(12, Find("m").Count);
        Assert.InRange(Find("mohamed", most: 5_000).Count, 100, 200);
        var rare = Find("wanjiku")[0];
        index.Remove(rare.Id);
        Assert.Empty(Find("wanjiku moh"));
    }

    [Fact]
    public void Searches_and_changes_run_side_by_side()
    {
        var anchor = Register(new PersonName("Anchor", ["Stays"]));
        var ids = Enumerable.Range(0, 200).Select(_ => PatientId.New()).ToArray();
        Parallel.For(0, 4_000, i =>
        {
            var id = ids[i % ids.Length];
            switch (i % 4)
            {
                case 0: index.Put(id, Number(10_000 + (i % ids.Length)), new PersonName("Anchovy", ["Moves" + i.ToString(CultureInfo.InvariantCulture)]), new BirthAndSex("1980", AdministrativeSex.Other), ["07123" + (10000 + i).ToString(CultureInfo.InvariantCulture)]); break;
                case 1: index.Remove(id); break;
                default:
                    var hits = Find("anchor");
                    Assert.Contains(hits, hit => hit.Id == anchor && hit.Name!.Given[0] == "Stays");
                    break;
            }
        });

        foreach (var id in ids)
        {
            index.Remove(id);
        }

        Assert.Equal(1, index.Count);
        Assert.Empty(Find("moves"));
        Assert.Equal(anchor, Assert.Single(Find("anch")).Id);
    }

    [Fact]
    public void Twenty_thousand_queries_of_garbage_never_throw()
    {
        string[] names = ["Hassan", "O'Brien", "Al-Rashid", "王小明", "محمد", "Ελένη", "Хасан", "अमित", "김민준", "Aaron697", "", " ", "\uD800", "é", "👩‍⚕️"];
        var state = 12345U;
        int Below(int most)
        {
            unchecked
            {
                state = (state * 1664525U) + 1013904223U;
                return (int)((state >> 8) % (uint)most);
            }
        }

        string Garbage()
        {
            var text = new char[Below(Below(50) == 0 ? 2_000 : 24)];
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = Below(4) switch { 0 => (char)Below(0x10000), 1 => "' -.’,/\u0640\u0301\u200f\ud83d"[Below(11)], 2 => (char)('a' + Below(26)), _ => (char)('0' + Below(10)) };
            }

            return Below(3) == 0 ? names[Below(names.Length)] + new string(text) : new string(text);
        }

        for (var i = 0; i < 500; i++)
        {
            index.Put(PatientId.New(), Below(5) == 0 ? Garbage() : Number(i), new PersonName(Garbage(), [names[Below(names.Length)], Garbage()], Garbage(), Garbage()), new BirthAndSex(Garbage(), AdministrativeSex.Unknown), [Garbage()]);
        }

        for (var i = 0; i < 20_000; i++)
        {
            var query = new PatientQuery(Below(20) == 0 ? names[Below(names.Length)] : Garbage(), Below(30) - 2)
            {
                Born = Below(3) == 0 ? PartialDate.From(1900 + Below(120), Below(13)) : null,
                Phone = Below(3) == 0 ? Garbage() : null,
                OtherScript = Below(4) == 0 ? Garbage() : null,
            };
            var hits = index.Search(query, Everything);
            Assert.True(hits.Count <= Math.Max(0, query.Most));
            Assert.All(hits, hit => Assert.InRange(hit.Score, 0, 100));
        }
    }

    private static string Number(long sequence) => Mrn.FromSequence(sequence).ToString();

    private PatientId Register(PersonName name, string? born = null, AdministrativeSex sex = AdministrativeSex.Unknown, string[]? phones = null)
    {
        var id = PatientId.New();
        index.Put(id, Number(registered++), name, new BirthAndSex(born, sex), phones ?? []);
        return id;
    }

    private IReadOnlyList<PatientHit> Find(string text, int most = 12) => index.Search(new PatientQuery(text, most), Everything);
}
