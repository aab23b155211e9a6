using System.Collections.Frozen;

namespace Mangrove.Vault.Identity;

/// <summary>
/// What people build passwords from, as published lists of leaked passwords show it: the words for "password" and
/// "welcome", names, months, towns, clubs, stars, phrases, and the small words between them. Written for this product;
/// folded to lower-case letters. <see cref="PasswordRules"/> says what is done with them.
/// </summary>
internal static class CommonPasswords
{
    private const string Words = """
        aaa aaron abc abcd abcde abcdef abdallah abdul abdullah abigail abril abuja access accra acdc achieng acmilan adam adams addisababa adebayo admin
        administrador administrator adventure africa afya agosto ahmad ahmed aiden airforce airplane aisha ajax akinyi akosua alahly alan albert alejandro
        alex alexander alexis alfie algeria alhamdulillah alhamisi ali alice allah allen always am ama amanda amani amazon amber ambulance amen america amina
        amit amy ana anastasia and anderson andrea andreas andrew android angel angela angels angola anil anita ankara ann anna anthony antonio anything aout
        apple april arabia archie are argentina arjun army arsenal arthur arusha aryan asante asd asdf asha ashley asshole astonvilla at atlanta atletico audi
        august aunt austin australia autumn avengers avril ayse aysha azam azerty babe baby babyboy babygirl backup bad bailey bakari baker banana bangalore
        bangkok bangladesh bank baraka barbara barbie barca barcelona bart baseball basketball bastard batman battery bayern bayernmunich bbb be beach bear
        beatles beautiful beckham bee beer begum beijing believe bell benfica benjamin bennett berlin besiktas best bestfriend betty beverly beyonce bible
        bieber bienvenido bienvenue big billy bird birmingham birthday bishop bismillah bitch biteme blabla black blackpink blahblah blake bless blessed
        blessing blink blue blueberry bmw bobby boca body bond bonjour borussia boston botswana boxing boy boyfriend brandon brazil bread brenda brian britain
        brittany broncos brooks brother brown bruce bruno bts buddha buffalo bullet bulls bunny burger burundi business butter butterfly bye cairo caleb
        california callofduty camaro camel cameron cameroon camila camping canada candy capetown captain car caramel carl carlos carmen carol carolyn cars
        carter casablanca cash cashier cat catherine cats celtic celtics chair champion champions change changeme charles charlie charlotte chase cheese
        cheetah chelsea chen chennai cherry cheruto cheryl chevrolet chicago chicken chidi children china chioma chips chloe chocolate choi christ christian
        christina christine christmas christopher church ciao cinderella cinnamon cisco city claire clarence clark class claude clinic clinical club coach
        cobra cock coconut cody coffee cola cold coldplay cole college collins company computer confidential congo connor contrasena cook cookie cookies cool
        cooper corinthians correct correcthorsebatterystaple corvette country cousin cow cowboys cox craig crazy cricket crimson cristiano cry crying crystal
        crystalpalace cubs cup cutie cynthia dad daddy daisy dakar dakota daktari dallas damn dance dancer daniel danielle dar daressalaam dark darkness
        darling darthvader database daudi daughter david davidson davis day death deborah debra december decembre deepak default delhi demo demon denise
        dennis dentist denver desktop detroit devil dezember dhaka dhoni diamond diana diane diaz diciembre dick diego dienstag dimanche disney diwali dmitri
        doctor dodgers dodoma dog doggy dogs dollar dolphin dolphins domain domingo donald donna donnerstag dontforget donttellanyone door doris dorothy
        dortmund douglas dragon dragonball drake dream dreamer dreams driver drogba drums dubai dublin duck durban dylan eagle eagles earth easter edc
        edinburgh edward edwards egypt eid eight elephant elijah elizabeth ella elsa elvis email emeka emerald emergency emily eminem emma emre enero england
        english enter eric ernest esther ete ethan ethiopia eugene euro eva evan evans evelyn evening everton example excel eyes facebook faith falcon fall
        family father fatima fatma febrero februar february fenerbahce fernanda ferrari fevrier feyenoord fiona fire first fish fisher fishing five flamengo
        flores florida flower flowers foobar football for force ford forest forever forget forgot forgotmypassword fortnite four fox france frances francesca
        francisco francois frank freddie freedom freitag friday friend friends fritz frodo frog frozen fruhling fuck fuckoff fuckyou fulham furaha gabriel
        galatasaray galaxy gandalf ganesh garcia garden garfield gary gavin genius george gerald germany gerrard getin ghana ghost giants ginger giovanni
        giraffe girl girlfriend gita giulia giuseppe glasgow gloria goal goalkeeper goat goaway god godisgood godislove godzilla goku gold golden golf gomez
        gonzalez good goodbye google gorgeous gorilla gormahia gospel grace grandma grandpa grape gray great green greenday gregory grey gta guest guitar gun
        gupta haaland habari hahaha hakuna hakunamatata halima hall hallelujah hallo halo hamburg hamisi hand handsome hannah hanoi hans hanuman happy harare
        harley harleydavidson harold harris harry harrypotter haslo hassan hawa hawk head health healthcare heart heather heaven hehehe helen hell hello
        hellokitty henry herbst hero heslo hey hi hiking hill hiphop history hiver hobbit hockey hogwarts hola holiday holy home homer honda honey hope horny
        horse hospital hospitali hot hottie house houston howard huang huda hugs hulk hundred hunter husband hussain hussein hyderabad iamgod iamthebest ian
        ibrahim ice ijumaa iloveme iloveyou in india indigo indonesia ingrid inshallah instagram inter intermilan internet invierno iphone iran iraq ireland
        ironmaiden ironman is isaac isabel isabella isabelle islam islamabad island ismail israel istanbul it italy itsasecret ivan jack jackson jacob
        jacqueline jacques jaguar jakarta jambo james jamesbond jan janet janice januar january janvier japan jasmine jason javier jazz jean jedi jeffrey
        jennifer jeremy jerry jesse jessica jesus jesuschrist jeudi jewel joan joao johannesburg john johnny johnson joker jonathan jones jordan jose joseph
        joshua joyce juan judith judy juergen jueves juillet juin juli julia julie julio july juma jumamosi jumanne jumapili jumatano jumatatu jumps june juni
        junio jupiter justice justin justinbieber juventus kaizerchiefs kamau kampala karachi karate karen karibu katherine kathleen kathryn kawasaki kayla
        kees keith kelly kenneth kennwort kenya kevin keyboard khadija khalid khan khartoum kids kigali kilimanjaro killer kim kimberly king kingdom kinshasa
        kiprono kiss kisses kisumu kitchen kitten kitty kiwi klaus knight kobe kofi kohli kolkata korea krishna kumar kuwait kwame kyle laboratory lagos
        lahore lakers lakshmi lalala lamborghini lampard landrover laptop larry lars last laugh laura lauren lawrence layla lazio lazy league lebanon lebron
        lee leeds legend leicester leila lemon lena leo leopard lesbian letmein lewis li liam liberty life light lightning lily linda linkinpark linux lion
        lisa lisbon liu live liverpool living logan login logon london lopez lord lordoftherings lori losangeles losenord louis love loveme lover loves
        loveyou loving lucas lucia lucifer lucky lucy luigi luis luke lundi lunes lusaka lyon madison madonna madrid maerz magic magical mai mail makkah
        malawi malaysia mali mama mamamia man manchester manchestercity manchesterunited mancity mango mangrove manila manuel manunited manutd mapenzi
        maradona march marco mardi margaret marhaba maria mariam marie marilyn marine mario mark mars marseille martes martha martin martinez mary maryam
        marzo mashallah mason master matata math matrix matron matthew maverick max may mayo maytheforcebewithyou mazda mbappe mbeya me mecca medic medical
        medicine megan mehmet melbourne melissa melon men mercedes mercredi mercury messi metal metallica mexico mia miami michael michaeljordan michel
        michelle mickey mickeymouse microsoft midnight midwife miercoles miguel milan military miller million millionaire mind minecraft minnie mitchell
        mittwoch mogadishu mohamed mohammad mohammed molly mombasa monaco monday money monica monika monitor monkey monster montag month moon moonlight moore
        morgan morning morocco morris moscow moses motdepasse mother mountain mouse mozambique muhammad mum mumbai mummy mungu munich murphy musa music muslim
        mustafa mustang mutua mwajuma mwangi mwanza my mypassword mystery nairobi naked nakupenda nala namaste namibia nancy napoli naruto natalie natasha
        nathalie nathan nation navy neema nelson neo nepal neptune network new newcastle newpassword newyear newyork newzealand neymar ngozi nguyen nice
        nicholas nicolas nicole nigeria night nina nine ninja nintendo nirvana nissan njeri njoroge no noah nokia nomsa noor nopassword not nothing nour
        november novembre noviembre nurse nywila ocean ochieng october octobre octubre odhiambo of office ok okay oktober olaf old olga oliver olivia
        oluwaseun om omar on one onedirection online onyango open opensesame openup or oracle orange orion orlandopirates oscar osman othman otieno our
        outlook over owl packers pakistan palmeiras pamela panther papa paris parissaintgermain park parker parola passcode passphrase passwd password
        passwort pasta pastor patel patient patients patricia patrick patriots paul paula paulo peace peach peanut pearl pedro pele penguin people pepper
        pepsi perez peter peterson petra petro phantom pharmacist pharmacy philadelphia philip philippe philippines phillip phillips phoenix piano pierre piet
        pig pikachu pilot pineapple pink pirate pizza planet playboy player playstation please pluto pokemon poland pole police pooja poppy porn porsche porto
        portugal potter power praise pray prayer pretoria pretty prince princess printemps printer private priya psg psv public pulse puppy purple pussy qatar
        qaz queen quick quran qwert qwerty qwertz rabbit rachel racing radiology rafael rafiki rahul raiders rain rainbow raj ralph ram ramadan rambo ramesh
        ranger rangerover rangers rashford rashid ravi raymond realmadrid rebecca reception red redsox reed rehema remember rice rich richard richardson
        rihanna river rivera road robert roberts robinson roblox rock rocket rocknroll rockstar rocky rodriguez roger rogers rohan roma rome ronald ronaldo
        room rooney root rosa rose roses ruby rugby rum running russell russia ruth rwanda ryan sabado sabine sad safari said salaam salah salasana saleh
        salim salma salut samantha samedi sample samstag samsung samuel samurai sanchez sandra sanjay santos sapphire sara sarah satan sato saturday saturn
        saudi scarlet schalke school science scotland scott sea sean seattle sebastian secret secure security senegal senha seoul september septembre
        septiembre serengeti sergei server sesame seven sevilla sex sexy shadow shakira shanghai shark sharma sharon shawn sheep shirley shit shiva sifre
        signin silver simba simon simpsons singapore singer singh sipho siri sister sita six sky skywalker slipknot smile smith snake snoopy snow soccer sofia
        soldier somalia something sommer son sonic sonntag sophia sophie sorry soul southafrica southampton spain spider spiderman spirit sporting spring
        spurs srilanka staple star starlight stars startrek starwars state steelers stefan stephanie stephen stethoscope steven stewart storm strawberry
        street strength striker strong student study subaru sudan sugar summer sun sunday sunderland sunita sunshine superman superuser suresh surgeon surgery
        susan susanna sushi suzuki sven sweetheart sweetie swimming sydney syria sysadmin system table tanaka tanzania tatiana taylor tea teacher team
        teenager temp temporary ten tendulkar tennis teresa terminator tesla test tester testing texas thabo thailand thanks thankyou that the theatre themba
        thepassword thequickbrownfox thequickbrownfoxjumps theresa this thomas thompson thor thousand three thunder thursday tiffany tiger tigers timothy tina
        tinkerbell to tobeornottobe today todd together tokyo tomorrow toronto torres tottenham town toyota tran travel treasure tree triage trinity truck
        trust trustno trustnoone truth tuesday tulip tumaini tunisia turkey turner turtle twitter two tyler uganda ukraine umar uncle unitedstates universe
        university upendo ursula usa user username vacation vaccine vader valencia vampire vanessa vanilla vendredi venice venus verano veronica victor
        victoria victory viernes vietnam vijay village violet virginia vladimir vodka volleyball volvo wachtwoord wales walker walter wambui wang wanjiku
        wanjiru warcraft ward warrior warriors washington water watson we website wednesday week weekend welcome welkom werder westham whale whatever whiskey
        white wife william williams willkommen wilson wind window windows wine winner winter wisdom wizard wolf wolfgang wolverine wolves woman women wood
        world worldcup wright wsx xbox xmas xxx xyz yadayada yamaha yamamoto yang yanga yangasc yankees year yellow yemen yes yesterday yoda yohana you young
        yourpassword yousef youtube yusuf zachary zainab zamalek zambia zanzibar zaq zebra zelda zhang zhao zidane zimbabwe zoe zombie zuhura zxc zxcv
        """;

    private static readonly FrozenDictionary<char, string[]> ByFirstLetter = Words
        .Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)
        .GroupBy(word => word[0])
        .ToFrozenDictionary(group => group.Key, group => group.ToArray());

    /// <summary>How many pieces are known.</summary>
    public static int Count { get; } = ByFirstLetter.Values.Sum(words => words.Length);

    /// <summary>The pieces that may begin with this character or with a letter that it stands for.</summary>
    public static IEnumerable<string> StartingWith(char sign, string spells)
    {
        var words = ByFirstLetter.GetValueOrDefault(sign, []).AsEnumerable();
        foreach (var letter in spells)
        {
            words = words.Concat(ByFirstLetter.GetValueOrDefault(letter, []));
        }

        return words;
    }
}
