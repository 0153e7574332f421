// Tokens against those of real Cassandra (SELECT token(k), 5.0.9), shards against the algorithm of shard-aware drivers
// (scylla-driver's shard_info).
#include "cql/base/prng.h"
#include "cql/data/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// Every length of the tail, and bytes >= 0x80 in it.
static const struct {
    const char *hex;
    int64_t token;
} token_vectors[] = {
    {"82", 7188333716680067347ll},
    {"db", 44959083094754296ll},
    {"07", -4312319111893697257ll},
    {"ee7f", 7249222636770770487ll},
    {"8da8", -3553748034401943974ll},
    {"1c5f", -7348389366430419231ll},
    {"f07ec2", -204349872657136662ll},
    {"9abf83", 337950351460710617ll},
    {"376847", -110388642231894477ll},
    {"5dc75124", -3916820319531343391ll},
    {"a3f1a0a1", -6676362241945687378ll},
    {"00013537", -4920154930197296193ll},
    {"545594a065", 7669582571095433807ll},
    {"b4aeb2e2cc", 6067900895066826522ll},
    {"055c6a2a25", 8376967025172642878ll},
    {"8721a99a01ad", 1005165810376811734ll},
    {"90cfdacefbd0", -2156320978239093088ll},
    {"2f7b782d0e41", 3786405625125583479ll},
    {"0bb7ce09d6bbc0", 6656222186083596520ll},
    {"82f38baeb29ebe", 4136447152098121193ll},
    {"76585a40761b5e", 5942862667530556324ll},
    {"9712dd2e6aaeb94b", 3188015470249440979ll},
    {"d7c697cfd1cead94", -8136427968429728848ll},
    {"264f7b290c146708", 8187631504926819532ll},
    {"79b080e9d74a1c10fc", 802725610947481888ll},
    {"d5b5a1a1e99babefdf", 1637289470993926828ll},
    {"260f6b4b24742b747c", 1993504933651199158ll},
    {"a2f58c95f0ce4b39c15b", -8123348913339894829ll},
    {"ffd6ae96fdc5dc90db88", 1916498353563861996ll},
    {"4e5d477c434b572d0279", 8654010574301187896ll},
    {"80a68ced93b6b28cb0d1b3", 4594378079123306348ll},
    {"acf3ddd5a4aab2dcfac894", -155391466775250892ll},
    {"6a2b6b4d45073228702e38", 4393778344538831604ll},
    {"5c15f173541b4438a25cf763", -7940837020295215863ll},
    {"89eaf7d9e192b4bcdf80d9e7", -6184533013113720801ll},
    {"47681d5f094d184b564b5a21", -4703319946825984854ll},
    {"d6d1bdef4850c3f465442eb300", 8295391497926880437ll},
    {"e19bd3a4d3e0edeeb9fecafae1", 4040491893543755550ll},
    {"6228424d7f406a05514e7d4924", -5970705362727992734ll},
    {"f40c3ee37d961445c806f58c7cf2", -2286302157004733379ll},
    {"89befdc4a7c9cbfef99e84a0ccc8", -5482116865736767725ll},
    {"564b0676595c21090040741b3003", -6357082814905674323ll},
    {"dbdaf6c5f3c86497ee219b01dd92f1", 8703957547705987589ll},
    {"cfa4aafaffd4a7ec8c91bac4959086", -4735785848877921095ll},
    {"556d11677c0c1f1f381c224a70262e", -7755558271044562324ll},
    {"5ed352226d1637c2248f1d3ccc4405dd", 4913230004299793276ll},
    {"97d0fdfddadf8ea3cba6cab8c390bcc1", 3362597603794331274ll},
    {"48223c5f74632d2104571509171f743d", 8775147438333588902ll},
    {"c7ecf5a5370fc41b4ddb723b2afb6c47c0", 4350546321025261153ll},
    {"dabccad5d9e2e0a2dbcbeedc89b7aee590", -2817993461632072809ll},
    {"1809082f33320a7d7b59006d784c6d5277", 60228819940518626ll},
    {"ec33624f5124bfc5f04d82388e52927810f6", -1582498345193735537ll},
    {"88d8ded08f85f4f8a79ed3caf4bda988b386", -1309425283093437553ll},
    {"7628cdba9f5eefb99022ef537b596a16dc8a03", 5877595885389959805ll},
    {"f68ff3e9ab8b88d99892bcfd97f88dbe8cffe5", 6047468697857154242ll},
    {"1e1882d0e49c1a13635bce60772ba0372c52266d", 2773502730852037198ll},
    {"84f0dbfcece0a183cef2b99da3cffb96c3e7d0a1", -3736597298597144358ll},
    {"4229f17d2bdb7d8d1ffc7f186692bf3224d7a0c200", -3406714909433772172ll},
    {"c9a187f1a4848cedc49be1a1d290ceaba3c3ffd2c9", -8542746058956637397ll},
    {"11200e0e3e1942b6df840876db40b967a9b706535330", 9042711371434139020ll},
    {"c4aba4f2efed9ed5d1f2baf6efabf18ca9f9fd809aa0", -8421144739858779138ll},
    {"d61a6a001078f6b5c9ed6e678d669bb67bbbb47f1ffdcd", 8246869220557616248ll},
    {"d9a4a4bdfde18998abe599c8b3d2faf897b2e0829aafe3", -765749088028784767ll},
    {"0ba20d9fc4f3cce61f4bd5b90a699192270d2cb6d39d078c", -7328500450792973889ll},
    {"bc928996ccd9b5fb979ebdd7ece480e3e0adb5d2e2d29bdf", -351240647075463403ll},
    {"7f336c969c89275527d35e7320d0d576d9f77d9ad68f2ba95f", 7257738275580392877ll},
    {"eb87a69dcbafefb0d39ad4938ffca392d1b0f7e2bafa9980b1", -8905286361372331974ll},
    {"50392fab4dbc35e1a55d34bb34216469a5bf58ea2a7dceeec002", -9219480477495582139ll},
    {"9edfa180fee1d792fdcb849dfadab2d7e1a4caff969ccbe8d690", 3912461688156836145ll},
    {"dd1970d7798a254a8a31f4dd5cc57d2fe7b6422a0248b8080a80ea", 8258177043205995953ll},
    {"e2948db7b1f183f895c7f8858da8e4ef89b786ebe9eee083aad6a5", 5884265190422207749ll},
    {"9b61d827bd6ec9d7618a47f0ba92013f56ea2725c312d14c6409fca2", -4128769970307282069ll},
    {"f5a2f7bc93dd8783afed95c4a1dfd5b6a6cb97c89c9be6dfcddefaf1", 177645705426909651ll},
    {"7b47860806c54479f61c04076cd677789d1c7a13c5b10a98e1e6343fbd", 2042768286667363009ll},
    {"c6e3e0cdaa93f28eb6e399ccdfe8a3f4d990fe80b5f48a8f969dd7a4df", -4082907540700416582ll},
    {"ae868df7493f86800c81c6557d86e05a461ab53f04e916fd140dd23cd3e2", -7923583494234502497ll},
    {"b89c90978a91f5cd91c59ee7cec2f4cccc80d2fff7e1a7b7c3d0b4f596a6", -2155630636885613673ll},
    {"b428d9e0ca596447fb56e4b0084ade89fc6e7a56d680a096376484d9b787f9", 6416876686479966829ll},
    {"969d9cd6989ac8ad8ce2acd5c299e8d498cf90cad6e9e89090cd91ae8a98e8", 3920571713375478660ll},
    {"35ecd52473d70d9437a5b926eec234577d3a302ac2df3a8b9ce8db146b44c35c", 5995469003866991187ll},
    {"b1d392a3ce8df7cef1c1c8aac1f4f8e799a2b3f59af1bba2bfaa96f2c1f6a9fb", -4866506314274039722ll},
    {"359880b61a3e690cacf6fa90aa1d9344d796d4bd4194631000f9519fd590d7ecae", 150704548277358764ll},
    {"d383a8fe80fbf7df8bba80fa9eb3ababbce69ae2eabac682b4bc91dfefceb998df", 1944686131987989909ll},
    {"e31f85014bd91ded0761613658eae0f0f494260cee680ae36721ae6633bd2d5870ca",
     -7386431974482974225ll},
    {"8088ed8eccb0e3e4aa9de2b0b7a1e7f3a5e886c6f4b3c497bbeceaf1b0b3d3c08bb1",
     -7317842176740169506ll},
    {"52bb30ddb949935d034cd93503eea628f94dbc031dbdf487e7a8d357c9dae10875f596",
     7835256872735004255ll},
    {"9b92fbb895d09894d3e8acd2d98acf9f95958afcf8b7f1cda6ecc7f392beca97cd92e0",
     -2442414726848232645ll},
    {"95d33151b1d92daf6bb635eca632fea712e71d74929e87ebb12fe7d364cfda3f4320e0a5",
     -4777941762163311397ll},
    {"89ceddeb9bac82f2a4ce8a9b8c9194cbcac8eebb88eef4cba9d5e5f7f689adddf9d1969c",
     -2915496439422100495ll},
    {"e08bbdae3bc7cde687424aeab68e5c58d204cda182634fdfe83c92c1126363cf7cff0d3a9c",
     -2260115342084505462ll},
    {"99d6d6d8a9838bb2ff88c5f9b48bb9d4d0b8def484889fb19bcf9ebf909cd9d6c1e9abc5ce",
     -8031142405557357970ll},
    {"21c8597bfb059cf0761c6fc43190f8128501ea4b3d297ea3bc7bf90300a4c9b4a2896e97e74c",
     -8255960889362079495ll},
    {"82b2ba81cd96babcb4e2b7c8a3b4ab9efcb8f0cec194aff798d8f983cd83aaa8cfe1c7f8d6a2",
     -3920409454666613504ll},
    {"63e463340aff5c960f658a528dcc8a28b49f397c0a758fc1e28322f5caf84ccff41fcb166784a9",
     -1292235147503540670ll},
    {"acdeeea9e2bb8fc8baeafdfaadf7fbfdf1bdbcd2b8a5959ff2f782a583fca39c8b90edf0af9e85",
     4261729743134391450ll},
    {"aadfad7253fcfca519a304ff156861818e98757be322fef477a8d4846ebadf00a13d4c79a19278b5",
     904068607947554405ll},
    {"bfcb9afac09ec48ba49a99f0cca5b8d1d3af8beeece2809dc2e4969881d0cef7a3a6ddcdc795efed",
     -3171535109301181928ll},
    {"03e8f59ef3329d267dd8383579c762f2bb674b0f0c3dcfd305efac77a0fc846b74f9f78123882b95dd",
     -5152179519347984276ll},
    {"8bf78dac8cbbeca6b5d9bc90edaeb9f2fda2f1a9dcfb9df7cc92f6d2dcbe92c7dfce89d8dfd8abb9e1",
     -2301987402862091458ll},
    {"d2be88d7d2705c0faf163064daf33adb63bd70ca3912c1a174b250d3aa8e9ffca7577617eba7712cfeb7",
     -5601657256814074409ll},
    {"cc96cda5d4fcaaf9b2e4f0c586b19beaa885d4c18685dbef9db8afd1c9b4e5a9a3fbc9e5f4d2c3d0d488",
     -8508924551660765455ll},
    {"91caf1798626372a35d036b844fed712f1bea4833e633afe4222b29041771ac63843e5276ee1268b01336b",
     6875926185092204661ll},
    {"baefffcd9cbaa3fcdeff84a3e8c4a288e389eaabdbf5fafdebbad3d9f9ed9e8685b1f2a3d4d3e994d6c5e3",
     4994146713064379638ll},
    {"263f2725244a2561ffdfb0c37cbc61622b9e8811d3c670a4404c0667e1641800bf83fdfcfc25e727a2581520",
     1141359489937796708ll},
    {"85d3989df982bcf686bce0d99d8a9cb2f8d1c5b8ddf6b5bcb1adb29fe3f984c5fab483b884eda7a4e2c3acd7",
     7829064051740338057ll},
    {"36a18666b9be5edc55fa7fab1c549482483ae0263e4082b9881ce174f177ed595284bc67db0f1789aed574bd38",
     3080162999299138083ll},
    {"81f7d29fd7f5fee394cefdb6edc18b92dcd6eddec1b299c0a0c2a494b194aadf92a1c2c4ec9ee1c8e4f1efbe95",
     7407259344217931498ll},
    {"426bbc777f88c153ebb4d7c4458eb028aa52c821c43a975a0efe6508e2ff21a9a8507ae1049850f133d0b2be4c84",
     -6306555027343201598ll},
    {"bebfaea5adc2ecfdf3bdade989a4acdfb180cbb5e582a1f1c1a796f4d5a890b7f0b1dbfff593a5c690a5969a94c2",
     -6857474308863261782ll},
    {"dbed7377f2dcfb23caee9da67df004450e8bb024e5c272ee2bfb7fabdec86d5db3a47366fb26a7dc924887b687b8b"
     "c",
     -910092167574208388ll},
    {"b08de0a2e3ccab83d4d0a0a3d6eabdd6e5bfbeceffa1b5e59ea4cced8996c6d6a6ecb584f8d7a6dee489abc8cff09"
     "4",
     9204315597891262430ll},
    {"0c5835290915addee78fb8cbd0148e315567c2b1096a4a2d6784469bc5961fe35c429440b17d65e0577bfbff40707"
     "348",
     1266407874740640026ll},
    {"ceb8d3ecaf88aecdfdf48ec4c4fdce8c8296bbb2b0fdc4b4a8bbb2d4afe7f686d9ad9fa9dae5a9eabe80f5c4bfe89"
     "292",
     -5676789787074644970ll},
    {"486d44da6bc8deed4d5ce6af058f8c9dde311cb396a82f3b4ab0f1946e2417de607959a93f0a0b291cb684d6983d0"
     "1dbaf",
     4539844110066435755ll},
    {"8e8187ccdfade8dad0db9ebfd8a8edb2b2fbc1d3f3fae9c0c2c8cdb1c5b6e3b1fc88cddcf9def4e7c6eccbd9b2fcf"
     "ede83",
     -8127318060515497800ll},
    {"00", 5048724184180415669ll},
    {"ffffffffffffffffffffffffffffffff", -2824192546314762522ll},
    {"ffffffffffffffffffffffffffffff", -2195530867418009455ll},
    {"80808080808080808080808080808080808080808080808080808080808080", 2158224688659817168ll},
};

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void tokens_are_cassandras(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof token_vectors / sizeof *token_vectors; i++) {
        const char *hex = token_vectors[i].hex;
        size_t n = strlen(hex) / 2;
        uint8_t *key = malloc(n); // exactly as long: reading past the end shows
        for (size_t j = 0; j < n; j++)
            key[j] = (uint8_t)(digit(hex[2 * j]) << 4 | digit(hex[2 * j + 1]));
        assert_int_equal(token_of_key(bytes_of(key, n)).value, token_vectors[i].token);
        free(key);
    }
    // ('h\u00e9l\u00e8ne', -5) as a composite key
    static const char composite[] = "\0\x08h\xc3\xa9l\xc3\xa8ne\0\0\x04\xff\xff\xff\xfb\0";
    assert_int_equal(token_of_key(bytes_of(composite, sizeof composite - 1)).value,
                     -1566570064172283792ll);
    assert_int_equal(token_of_key(BYTES_NULL).value, INT64_MIN);
}

static const struct {
    int64_t token;
    uint32_t shards, ignore_msb, shard;
} shard_vectors[] = {
    {-9223372036854775807ll, 16, 8, 0},
    {-1ll, 16, 8, 15},
    {0ll, 16, 8, 0},
    {1ll, 16, 8, 0},
    {9223372036854775807ll, 16, 8, 15},
    {8261657684473197624ll, 16, 8, 10},
    {2784249659845191438ll, 16, 8, 10},
    {-8531699129511414324ll, 16, 8, 9},
    {-1509457273540090022ll, 16, 8, 0},
    {8258772313671944433ll, 16, 8, 9},
    {1577960769301841103ll, 16, 8, 14},
    {8785356068037452444ll, 16, 8, 14},
    {-3881023613069443411ll, 16, 8, 2},
    {-9223372036854775807ll, 16, 12, 0},
    {-1ll, 16, 12, 15},
    {0ll, 16, 12, 0},
    {1ll, 16, 12, 0},
    {9223372036854775807ll, 16, 12, 15},
    {750522153793611428ll, 16, 12, 10},
    {3357357195551156271ll, 16, 12, 7},
    {-5757763313810287289ll, 16, 12, 8},
    {1187385434856157239ll, 16, 12, 10},
    {-5424104304150091343ll, 16, 12, 9},
    {585135223364038996ll, 16, 12, 14},
    {-3428379579663223016ll, 16, 12, 11},
    {7811114804498096593ll, 16, 12, 6},
    {-9223372036854775807ll, 1, 0, 0},
    {-1ll, 1, 0, 0},
    {0ll, 1, 0, 0},
    {1ll, 1, 0, 0},
    {9223372036854775807ll, 1, 0, 0},
    {-3693646940721862312ll, 1, 0, 0},
    {-4720586066214327776ll, 1, 0, 0},
    {6920065358279733766ll, 1, 0, 0},
    {-943842519274427104ll, 1, 0, 0},
    {8857662617962200316ll, 1, 0, 0},
    {220121936330067728ll, 1, 0, 0},
    {4743413005406631124ll, 1, 0, 0},
    {7992424660898182485ll, 1, 0, 0},
    {-9223372036854775807ll, 7, 0, 0},
    {-1ll, 7, 0, 3},
    {0ll, 7, 0, 3},
    {1ll, 7, 0, 3},
    {9223372036854775807ll, 7, 0, 6},
    {5872582635248635991ll, 7, 0, 5},
    {3602563658188735042ll, 7, 0, 4},
    {-807869008354140963ll, 7, 0, 3},
    {-8024334048199057126ll, 7, 0, 0},
    {3716871804974613007ll, 7, 0, 4},
    {5938464112725298995ll, 7, 0, 5},
    {3996077508026646703ll, 7, 0, 5},
    {3111093572218458760ll, 7, 0, 4},
    {-9223372036854775807ll, 12, 8, 0},
    {-1ll, 12, 8, 11},
    {0ll, 12, 8, 0},
    {1ll, 12, 8, 0},
    {9223372036854775807ll, 12, 8, 11},
    {8128531362203741959ll, 12, 8, 9},
    {-116343679928894088ll, 12, 8, 4},
    {4948025256206694139ll, 12, 8, 8},
    {4397028252223041743ll, 12, 8, 0},
    {-64439916039929168ll, 12, 8, 1},
    {-937327056304800998ll, 12, 8, 11},
    {5889673505243240318ll, 12, 8, 8},
    {926387336645580297ll, 12, 8, 10},
    {-9223372036854775807ll, 3, 12, 0},
    {-1ll, 3, 12, 2},
    {0ll, 3, 12, 0},
    {1ll, 3, 12, 0},
    {9223372036854775807ll, 3, 12, 2},
    {8443650468548483529ll, 3, 12, 2},
    {-7692574593023557443ll, 3, 12, 2},
    {-9000847795971954198ll, 3, 12, 1},
    {1644038575953710126ll, 3, 12, 0},
    {-4022668034752422715ll, 3, 12, 2},
    {8358181456611150069ll, 3, 12, 2},
    {4423247874567664347ll, 3, 12, 0},
    {-1880283478743649885ll, 3, 12, 1},
};

static void shards_are_the_drivers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shard_vectors / sizeof *shard_vectors; i++)
        assert_int_equal(token_shard((struct token){shard_vectors[i].token},
                                     shard_vectors[i].shards, shard_vectors[i].ignore_msb),
                         shard_vectors[i].shard);
}

// The next token of a shard belongs to it, and no token between does: tried at the borders, where a
// token's shard changes, by going back one.
static void next_token_of_a_shard_is_the_least(void **state)
{
    (void)state;
    struct prng rng;
    prng_init(&rng, 1);
    static const uint32_t shards_of[] = {1, 2, 3, 7, 16, 64}, msb_of[] = {0, 1, 8, 12, 40};
    for (int i = 0; i < 200000; i++) {
        uint32_t shards = shards_of[prng_below(&rng, 6)], msb = msb_of[prng_below(&rng, 5)];
        uint32_t shard = (uint32_t)prng_below(&rng, shards);
        struct token t = {(int64_t)prng_u64(&rng)}, next;
        if (prng_below(&rng, 8) == 0)
            t.value = prng_below(&rng, 2) ? INT64_MIN : INT64_MAX - (int64_t)prng_below(&rng, 3);
        if (!token_shard_next(t, shard, shards, msb, &next)) {
            uint64_t ahead = (uint64_t)INT64_MAX - (uint64_t)t.value;
            for (int j = 0; j < 20 && ahead; j++) {
                uint64_t step = 1 + (j < 3 ? (uint64_t)j % ahead : prng_below(&rng, ahead));
                struct token v = {(int64_t)((uint64_t)t.value + step)};
                assert_true(token_shard(v, shards, msb) != shard);
            }
            continue;
        }
        assert_true(next.value > t.value);
        assert_int_equal(token_shard(next, shards, msb), shard);
        if (next.value - 1 > t.value && next.value != INT64_MIN + 1)
            assert_true(token_shard((struct token){next.value - 1}, shards, msb) != shard);
        // no whole stretch was passed over: going by shards from t comes to the same place
        if (shards > 1) {
            struct token from = t, step;
            uint32_t hops = 0;
            while (from.value < next.value && hops++ <= shards) {
                uint32_t here = token_shard((struct token){from.value + 1}, shards, msb);
                if (here == shard)
                    break;
                if (!token_shard_next(from, (here + 1) % shards, shards, msb, &step))
                    break;
                from.value = step.value - 1;
            }
            assert_int_equal(from.value + 1, next.value);
        }
    }
}

// More shards than a period has tokens: a shard without tokens is said to have none.
static void a_shard_may_own_nothing(void **state)
{
    (void)state;
    struct token next;
    assert_false(token_shard_next(TOKEN_MIN, 1, 16, 63, &next));
    assert_true(token_shard_next(TOKEN_MIN, 8, 16, 63, &next));
    assert_int_equal(next.value, INT64_MIN + 1);
    assert_true(token_shard_next(TOKEN_MIN, 0, 16, 63, &next));
    assert_int_equal(next.value, INT64_MIN + 2);
}

static void stored_tokens_order_as_bytes(void **state)
{
    (void)state;
    struct prng rng;
    prng_init(&rng, 2);
    for (int i = 0; i < 10000; i++) {
        struct token a = {(int64_t)prng_u64(&rng)}, b = {(int64_t)prng_u64(&rng)};
        uint8_t x[8], y[8];
        token_store(a, x);
        token_store(b, y);
        assert_int_equal(token_load(x).value, a.value);
        assert_int_equal(memcmp(x, y, 8) < 0, a.value < b.value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_cassandras),
        cmocka_unit_test(shards_are_the_drivers),
        cmocka_unit_test(next_token_of_a_shard_is_the_least),
        cmocka_unit_test(a_shard_may_own_nothing),
        cmocka_unit_test(stored_tokens_order_as_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
