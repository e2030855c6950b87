/* --help, the overview and the man pages, all from the tables of options.h. */
#include <string.h>

#include "options.h"

static const struct {
    const char *name, *words, *help;
} commands[BL__CMD_COUNT] = {
#define BL_X(name, words, help) {#name, words, help},
    BL__CMD_TABLE(BL_X)
#undef BL_X
};

void bl__help_overview(FILE *f) {
    fputs(
        "usage: ballerino COMMAND [OPTIONS]\n\n"
        "Give it a video of a good dancer and a video of you: it makes a video of you dancing that dance.\n\n"
        "    ballerino run --target me.mp4 --source dance.mp4 --consent \"my name, today\" -o "
        "out.mp4\n\ncommands:\n",
        f);
    for (int i = 0; i < BL__CMD_COUNT; i++) fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].help);
    fputs("\n'ballerino help COMMAND' shows a command's options. Settings can also stand in "
          "./ballerino.ini.\nexit codes:",
          f);
#define BL_X(name, value, exit_code, text) fprintf(f, "%s %d %s", exit_code ? ";" : "", exit_code, text);
    BL_STATUS_TABLE(BL_X)
#undef BL_X
    fputc('\n', f);
}

static void range_text(const bl__opt_row *r, char *buf, size_t size) {
    if (r->type == BL__INT || r->type == BL__REAL)
        snprintf(buf, size, " (%.10g to %.10g, default %s)", r->least, r->most, r->def);
    else if (r->type != BL__FLAG && *r->def)
        snprintf(buf, size, " (default %s)", r->def);
    else
        buf[0] = 0;
}

void bl__help_command(FILE *f, int command) {
    fprintf(f, "usage: ballerino %s %s%s[OPTIONS]\n%s.\n\noptions:\n", commands[command].name,
            commands[command].words, *commands[command].words ? " " : "", commands[command].help);
    for (int i = 0; i < BL__OPT_COUNT; i++) {
        const bl__opt_row *r = &bl__opt_rows[i];
        char left[64], range[96], letter[8] = "";
        if (!(r->commands >> command & 1)) continue;
        if (r->letter) snprintf(letter, sizeof letter, "-%c, ", r->letter);
        snprintf(left, sizeof left, "%s--%s %s", letter, r->name, r->value);
        range_text(r, range, sizeof range);
        fprintf(f, "  %-38s %s%s\n", left, r->help, range);
    }
}

static void roff(FILE *f, const char *s) {
    for (; *s; s++) {
        if (*s == '-' || *s == '\\') fputc('\\', f);
        fputc(*s, f);
    }
}

void bl__help_man(FILE *f, int command) {
    fprintf(f, ".TH BALLERINO\\-%s 1\n.SH NAME\nballerino\\-%s \\- ", commands[command].name,
            commands[command].name);
    roff(f, commands[command].help);
    fprintf(f, "\n.SH SYNOPSIS\n.B ballerino %s\n%s [OPTIONS]\n.SH OPTIONS\n", commands[command].name,
            commands[command].words);
    for (int i = 0; i < BL__OPT_COUNT; i++) {
        const bl__opt_row *r = &bl__opt_rows[i];
        char range[96];
        if (!(r->commands >> command & 1)) continue;
        fputs(".TP\n.B ", f);
        if (r->letter) fprintf(f, "\\-%c, ", r->letter);
        fputs("\\-\\-", f);
        roff(f, r->name);
        fputc(' ', f);
        roff(f, r->value);
        fputc('\n', f);
        roff(f, r->help);
        range_text(r, range, sizeof range);
        roff(f, range);
        fputc('\n', f);
    }
    fputs(".SH EXIT STATUS\n", f);
#define BL_X(name, value, exit_code, text) fprintf(f, ".TP\n%d\n%s\n", exit_code, text);
    BL_STATUS_TABLE(BL_X)
#undef BL_X
}
