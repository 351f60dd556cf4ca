/* As much of JSON as the scenarios and the library's documents need; what is wrong ends the program. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

static json *value(const char **at);

static void skip_space(const char **at)
{
    *at += strspn(*at, " \t\r\n");
}

static bool took(const char **at, const char *word)
{
    size_t length = strlen(word);
    skip_space(at);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

static size_t utf8(unsigned long point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | (point >> 6));
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    CHECK(point < 0xD800 || point > 0xDFFF);
    out[0] = (char)(0xE0 | (point >> 12));
    out[1] = (char)(0x80 | ((point >> 6) & 0x3F));
    out[2] = (char)(0x80 | (point & 0x3F));
    return 3;
}

static char *string(const char **at)
{
    CHECK(took(at, "\""));
    /* Unescaped it is no longer than as written. */
    char *text = malloc(strlen(*at) + 1);
    CHECK(text);
    size_t length = 0;
    while (**at != '"') {
        CHECK(**at != '\0');
        if (**at != '\\') {
            text[length++] = *(*at)++;
            continue;
        }
        static const char letters[] = "bfnrt\"\\/", meanings[] = "\b\f\n\r\t\"\\/";
        const char *letter = strchr(letters, *++*at);
        if (letter && *letter) {
            text[length++] = meanings[letter - letters];
            ++*at;
            continue;
        }
        CHECK(**at == 'u');
        char digits[5] = {0};
        strncpy(digits, *at + 1, 4);
        CHECK(strlen(digits) == 4);
        length += utf8(strtoul(digits, NULL, 16), text + length);
        *at += 5;
    }
    ++*at;
    text[length] = '\0';
    return text;
}

static void children(const char **at, json *parent, const char *end)
{
    json **last = &parent->first;
    while (!took(at, end)) {
        if (parent->first)
            CHECK(took(at, ","));
        char *name = NULL;
        if (parent->type == JSON_OBJECT) {
            name = string(at);
            CHECK(took(at, ":"));
        }
        *last = value(at);
        (*last)->name = name;
        last = &(*last)->next;
    }
}

static json *value(const char **at)
{
    json *found = calloc(1, sizeof *found);
    CHECK(found);
    skip_space(at);
    if (**at == '"') {
        found->type = JSON_STRING;
        found->text = string(at);
    } else if (took(at, "{")) {
        found->type = JSON_OBJECT;
        children(at, found, "}");
    } else if (took(at, "[")) {
        found->type = JSON_ARRAY;
        children(at, found, "]");
    } else if (took(at, "true")) {
        found->type = JSON_TRUE;
    } else if (took(at, "false")) {
        found->type = JSON_FALSE;
    } else if (took(at, "null")) {
        found->type = JSON_NULL;
    } else {
        size_t length = strspn(*at, "+-0123456789.eE");
        CHECK(length > 0);
        found->type = JSON_NUMBER;
        found->text = format("%.*s", (int)length, *at);
        *at += length;
    }
    return found;
}

json *json_parse(const char *text)
{
    json *found = value(&text);
    skip_space(&text);
    CHECK(*text == '\0');
    return found;
}

const json *json_member(const json *object, const char *name)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (const json *member = object->first; member; member = member->next)
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

const char *json_text(const json *object, const char *name)
{
    const json *member = json_member(object, name);
    return member && member->type == JSON_STRING ? member->text : NULL;
}

void json_free(json *found)
{
    while (found) {
        json *next = found->next;
        json_free(found->first);
        free(found->name);
        free(found->text);
        free(found);
        found = next;
    }
}
