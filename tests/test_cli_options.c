/* The option table: parsing, ranges, the ini file, help and man pages agree with it. */
#include "ini.h"
#include "options.h"
#include "support.h"

static int parse(bl__options *o, int command, const char *line, bl_err *err) {
    static char copy[512];
    char *argv[32];
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *s = copy; *s;) {
        argv[argc++] = s;
        s += strcspn(s, " ");
        if (*s) *s++ = 0;
    }
    bl__options_init(o, command);
    return bl__options_parse(o, argc, argv, err);
}

static void values_are_read(void **state) {
    (void)state;
    bl_err err = {0};
    bl__options o;
    int w, h;
    assert_ok(parse(
        &o, BL__CMD_BIT_train,
        "me.mp4 -o me.ballerino --minutes=2.5 --size 144x192 --preset standard -v --seed 7 -- --odd", &err));
    assert_int_equal(o.n_words, 2);
    assert_string_equal(o.words[1], "--odd");
    assert_string_equal(bl__option_text(&o, BL__OPT_output), "me.ballerino");
    assert_true(bl__option_real(&o, BL__OPT_minutes) == 2.5);
    assert_int_equal(bl__option_choice(&o, BL__OPT_preset), 1);
    assert_int_equal(bl__option_int(&o, BL__OPT_seed), 7);
    assert_true(bl__option_flag(&o, BL__OPT_verbose));
    assert_false(bl__option_flag(&o, BL__OPT_quiet));
    bl__option_size(&o, BL__OPT_size, &w, &h);
    assert_true(w == 144 && h == 192);
    bl__options_release(&o);
}

static void refuse(int command, const char *line, const char *part) {
    bl_err err = {0};
    bl__options o;
    int rc = parse(&o, command, line, &err);
    bl__options_release(&o);
    if (rc != BL_E_USAGE || !strstr(err.msg, part))
        fail_msg("'%s' gave %d '%s', expected '%s'", line, rc, err.msg, part);
}

static void wrong_values_are_one_sentence(void **state) {
    (void)state;
    refuse(BL__CMD_BIT_train, "--minuts 5", "did you mean --minutes?");
    refuse(BL__CMD_BIT_train, "--holdout 0.9", "from 0 to 0.5");
    refuse(BL__CMD_BIT_train, "--seed 1.5", "whole number");
    refuse(BL__CMD_BIT_train, "--seed nan", "whole number");
    refuse(BL__CMD_BIT_train, "--preset fast", "draft|standard|high|paper");
    refuse(BL__CMD_BIT_train, "--size 10x10", "WIDTHxHEIGHT");
    refuse(BL__CMD_BIT_train, "--size 144x192x", "WIDTHxHEIGHT");
    refuse(BL__CMD_BIT_train, "--output", "needs a value");
    refuse(BL__CMD_BIT_train, "--model x", "not an option of train");
    refuse(BL__CMD_BIT_pose, "-z", "not an option");
    assert_string_equal(bl__command_nearest("trian"), "train");
    assert_null(bl__command_nearest("frobnicate"));
}

static void ini_is_weaker_and_names_its_lines(void **state) {
    (void)state;
    bl_err err = {0};
    bl__options o;
    static const char text[] = "# mine\n[defaults]\nthreads = 2\nmodel = other.ballerino\n\n[train]\nminutes "
                               "= 30\nconsent = \"me, today\"\n[pose]\nminutes=oops\n";
    bl__options_init(&o, BL__CMD_BIT_train);
    assert_ok(bl__options_ini(&o, text, sizeof text - 1, "x.ini", &err));
    assert_int_equal(bl__option_int(&o, BL__OPT_threads), 2);
    assert_string_equal(bl__option_text(&o, BL__OPT_consent), "me, today");
    char *argv[] = {"--minutes", "5"};
    assert_ok(bl__options_parse(&o, 2, argv, &err));
    assert_true(bl__option_real(&o, BL__OPT_minutes) == 5);
    static const char *const bad[] = {"[train]\nminutes = many\n", "[trane]\nx=1\n", "[train]\njust words\n",
                                      "[train\n", "colour = red\n"};
    for (size_t i = 0; i < BL_COUNT(bad); i++) {
        assert_int_equal(bl__options_ini(&o, bad[i], strlen(bad[i]), "x.ini", &err), BL_E_USAGE);
        assert_non_null(strstr(err.msg, "x.ini line"));
    }
    bl__options_release(&o);
}

static char *captured(void (*print)(FILE *, int), int command) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    print(f, command);
    fclose(f);
    return text;
}

static void help_and_man_pages_name_every_option(void **state) {
    (void)state;
    for (int c = 0; c < BL__CMD_COUNT; c++) {
        char *help = captured(bl__help_command, c), *man = captured(bl__help_man, c);
        for (int i = 0; i < BL__OPT_COUNT; i++) {
            char word[64];
            int taken = (int)(bl__opt_rows[i].commands >> c & 1);
            snprintf(word, sizeof word, "--%s ", bl__opt_rows[i].name);
            if (taken != (strstr(help, word) != NULL))
                fail_msg("help %s and --%s disagree", bl__command_name(c), bl__opt_rows[i].name);
            if (taken && !strstr(man, bl__opt_rows[i].help)) {
                char first[8] = {0}; /* '-' is escaped in man pages: compare up to the first */
                strncpy(first, bl__opt_rows[i].help, sizeof first - 1);
                first[strcspn(first, "-")] = 0;
                if (!strstr(man, first))
                    fail_msg("man page of %s lacks --%s", bl__command_name(c), bl__opt_rows[i].name);
            }
        }
        free(help);
        free(man);
    }
}

static void table_is_sorted_and_its_defaults_are_valid(void **state) {
    (void)state;
    bl_err err = {0};
    for (int i = 0; i < BL__OPT_COUNT; i++) {
        if (i && strcmp(bl__opt_rows[i - 1].name, bl__opt_rows[i].name) >= 0)
            fail_msg("--%s is not in order", bl__opt_rows[i].name);
        for (int c = 0; c < BL__CMD_COUNT; c++) {
            bl__options o;
            bl__options_init(&o, c);
            if ((bl__opt_rows[i].commands >> c & 1) && *bl__opt_rows[i].def)
                assert_ok(bl__options_set(&o, bl__opt_rows[i].name, bl__opt_rows[i].def, NULL, &err));
            bl__options_release(&o);
        }
    }
    for (int c = 1; c < BL__CMD_COUNT; c++)
        assert_true(strcmp(bl__command_name(c - 1), bl__command_name(c)) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(wrong_values_are_one_sentence),
        cmocka_unit_test(ini_is_weaker_and_names_its_lines),
        cmocka_unit_test(help_and_man_pages_name_every_option),
        cmocka_unit_test(table_is_sorted_and_its_defaults_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
