using Bogus;
using Bogus.DataSets;

namespace Mangrove.Cli.Demo;

/// <summary>A given or family name, with its spelling in a second script where the person's papers have one.</summary>
internal readonly record struct SampleName(string Latin, string? Other = null);

/// <summary>The names of one community of the town.</summary>
/// <param name="Weight">Share of the patients, out of the sum of all weights.</param>
/// <param name="FamilyFirst">Whether the second script writes the family name first.</param>
/// <param name="Joint">What stands between names in the second script.</param>
internal sealed record NameStock(
    int Weight,
    IReadOnlyList<SampleName> Women,
    IReadOnlyList<SampleName> Men,
    IReadOnlyList<SampleName> Families,
    string Language,
    bool FamilyFirst = false,
    string Joint = " ")
{
    private const int Pool = 400;

    private static readonly Lazy<NameStock[]> Shipped = new(Make);

    /// <summary>Every community, in a fixed order.</summary>
    public static IReadOnlyList<NameStock> All => Shipped.Value;

    private static NameStock[] Make() =>
    [
        new(
            34,
            Latin("Amina Asha Bahati Baraka Dalila Eshe Fatuma Furaha Halima Imani Jamila Jata Khadija Lulu Makena Malaika Maua Mwanaisha Mwajuma Naima Neema Nuru Pendo Rehema Safiya Salma Saumu Siti Subira Tatu Wanjiku Wambui Wangari Nyambura Njeri Akinyi Achieng Atieno Awino Chebet Cherono Jepkosgei Kadzo Mbeyu Mapenzi Zainabu Zawadi Zuhura"),
            Latin("Abdalla Ali Amani Athumani Baraka Bakari Chacha Hamisi Hassan Issa Jabali Jelani Juma Kamau Khamis Kibet Kipchoge Kipkorir Kiprono Maina Makau Mbugua Mwangi Musa Mutiso Mutua Njoroge Ochieng Odhiambo Okoth Omari Omondi Onyango Otieno Rajabu Ramadhani Rashidi Said Salim Shabani Simba Suleiman Tito Wafula Wanjala Yusufu"),
            Latin("Abdalla Achieng Bakari Barasa Chacha Charo Chebet Hamisi Hassan Juma Kahindi Kamau Karanja Karisa Kariuki Katana Kazungu Khamis Kibet Kimani Kiplagat Kipkemboi Koech Langat Macharia Maina Makau Mbithi Mohamed Muriuki Musyoka Mutiso Mutua Mwakio Mwamburi Mwangi Mwinyi Ndegwa Ngugi Njoroge Nyong'o Ochieng Odhiambo Okello Omondi Onyango Otieno Ouma Rotich Salim Shabani Simiyu Suleiman Wafula Wanjala Wekesa Wanyama"),
            "sw"),
        new(
            16,
            Pairs("Aisha=عائشة Amal=أمل Amira=أميرة Asma=أسماء Basma=بسمة Dalia=داليا Fatima=فاطمة Hala=هالة Hanan=حنان Hind=هند Huda=هدى Iman=إيمان Khadija=خديجة Layla=ليلى Lubna=لبنى Maha=مها Mariam=مريم Mona=منى Nadia=نادية Noor=نور Rania=رانيا Salma=سلمى Samira=سميرة Sara=سارة Yasmin=ياسمين Zahra=زهراء Zaynab=زينب"),
            Pairs("Abdullah=عبدالله Adel=عادل Ahmad=أحمد Ali=علي Amin=أمين Bilal=بلال Fahd=فهد Faisal=فيصل Hamza=حمزة Hassan=حسن Hussein=حسين Ibrahim=إبراهيم Ismail=إسماعيل Jamal=جمال Karim=كريم Khalid=خالد Mahmoud=محمود Mansour=منصور Mohammed=محمد Mustafa=مصطفى Nasser=ناصر Omar=عمر Osman=عثمان Rashid=راشد Saleh=صالح Tariq=طارق Yasin=ياسين Youssef=يوسف"),
            Pairs("Abbas=عباس Aden=عدن Al-Amri=العمري Al-Harbi=الحربي Al-Masri=المصري Al-Najjar=النجار Al-Qahtani=القحطاني Al-Shami=الشامي Bashir=بشير Darwish=درويش Farah=فرح Haddad=حداد Hamdan=حمدان Hashim=هاشم Idris=إدريس Jaber=جابر Kassim=قاسم Khalil=خليل Mansour=منصور Nasser=ناصر Nur=نور Osman=عثمان Qasim=قاسم Saeed=سعيد Saleh=صالح Shaheen=شاهين Sultan=سلطان Taha=طه Yusuf=يوسف Zaki=زكي"),
            "ar"),
        new(
            5,
            Pairs("Fang=芳 Hong=红 Hui=慧 Jing=静 Juan=娟 Lan=兰 Li=丽 Ling=玲 Mei=梅 Min=敏 Na=娜 Qin=琴 Ting=婷 Xia=霞 Xiuying=秀英 Xue=雪 Yan=燕 Yun=云 Zhen=珍"),
            Pairs("Bin=斌 Bo=波 Chao=超 Dong=东 Feng=峰 Gang=刚 Hao=浩 Jian=健 Jie=杰 Jun=军 Kai=凯 Lei=磊 Liang=亮 Long=龙 Ming=明 Peng=鹏 Qiang=强 Tao=涛 Wei=伟 Yong=勇"),
            Pairs("Chen=陈 Deng=邓 Feng=冯 Gao=高 Guo=郭 He=何 Hu=胡 Huang=黄 Li=李 Lin=林 Liu=刘 Luo=罗 Ma=马 Sun=孙 Tang=唐 Wang=王 Wu=吴 Xie=谢 Xu=徐 Yang=杨 Zhang=张 Zhao=赵 Zheng=郑 Zhou=周 Zhu=朱"),
            "zh",
            FamilyFirst: true,
            Joint: ""),
        new(
            4,
            Pairs("Alina=Алина Anastasia=Анастасия Anna=Анна Daria=Дарья Ekaterina=Екатерина Elena=Елена Galina=Галина Irina=Ирина Ksenia=Ксения Larisa=Лариса Lyudmila=Людмила Maria=Мария Marina=Марина Natalia=Наталья Nina=Нина Olga=Ольга Polina=Полина Svetlana=Светлана Tatiana=Татьяна Yulia=Юлия"),
            Pairs("Aleksandr=Александр Aleksei=Алексей Andrei=Андрей Anton=Антон Boris=Борис Dmitri=Дмитрий Igor=Игорь Ilya=Илья Ivan=Иван Kirill=Кирилл Maksim=Максим Mikhail=Михаил Nikolai=Николай Oleg=Олег Pavel=Павел Roman=Роман Sergei=Сергей Viktor=Виктор Vladimir=Владимир Yuri=Юрий"),
            Pairs("Bondarenko=Бондаренко Chernenko=Черненко Danylchuk=Данильчук Fedorenko=Федоренко Hrytsenko=Гриценко Kovalenko=Коваленко Kravchenko=Кравченко Lysenko=Лысенко Marchenko=Марченко Moroz=Мороз Petrenko=Петренко Romanenko=Романенко Savchenko=Савченко Shevchenko=Шевченко Tkachenko=Ткаченко Yurchenko=Юрченко Zhuk=Жук"),
            "ru"),
        FromBogus(11, "en", "en"),
        FromBogus(8, "en_IND", "hi"),
        FromBogus(7, "en_NG", "en"),
        FromBogus(6, "fr", "fr"),
        FromBogus(5, "pt_PT", "pt"),
        FromBogus(4, "es", "es"),
    ];

    private static SampleName[] Latin(string names) => [.. names.Split(' ').Select(name => new SampleName(name))];

    private static SampleName[] Pairs(string names) => [.. names.Split(' ').Select(pair => pair.Split('=')).Select(pair => new SampleName(pair[0], pair[1]))];

    /// <summary>A pool drawn once from Bogus; drawing from its data for each person would be most of the time.</summary>
    private static NameStock FromBogus(int weight, string locale, string language)
    {
        var names = new Name(locale) { Random = new Randomizer(locale.Sum(letter => letter)) };
        SampleName[] Drawn(Func<string> draw) => [.. Enumerable.Range(0, Pool).Select(_ => draw()).Distinct(StringComparer.Ordinal).Select(name => new SampleName(name))];
        return new NameStock(weight, Drawn(() => names.FirstName(Name.Gender.Female)), Drawn(() => names.FirstName(Name.Gender.Male)), Drawn(() => names.LastName()), language);
    }
}
